"""Each rule at its exact limits."""

from itertools import pairwise

import pytest

from alerts import rules
from alerts.rules import PRIORITY, Limits
from alerts.words import LETHAL, AlarmKind, Priority
from ecg.clock import NS
from ecg.errors import BadSetting


def beats_at(rate_bpm, n):
    """n beats, evenly, to the nanosecond."""
    return [round(i * 60 * NS / rate_bpm) for i in range(n)]


@pytest.mark.parametrize(("quiet_s", "alarm"), [(3.9, False), (4.0, True), (4.1, True)])
def test_asystole(quiet_s, alarm):
    assert rules.asystole(round(quiet_s * NS), 0) is alarm


def test_asystole_to_the_nanosecond():
    assert not rules.asystole(4 * NS - 1, 0)
    assert rules.asystole(4 * NS, 0)


@pytest.mark.parametrize(("rate", "alarm"), [(39, True), (40, False), (41, False)])
def test_extreme_bradycardia(rate, alarm):
    assert rules.extreme_bradycardia(beats_at(rate, 5)) is alarm


@pytest.mark.parametrize(("rate", "alarm"), [(139, False), (140, False), (141, True)])
def test_extreme_tachycardia(rate, alarm):
    beats = beats_at(rate, 17)
    if rate == 140:  # 16 intervals of 3/7 s end between two nanoseconds: take the later one
        beats[-1] = -(-16 * 60 * NS // 140)
    assert rules.extreme_tachycardia(beats) is alarm


def test_rate_is_the_mean_of_the_intervals():
    beats = [0, 1 * NS, 4 * NS]
    mean_s = sum(b - a for a, b in pairwise(beats)) / 2 / NS
    assert rules.rate_bpm(beats) == pytest.approx(60 / mean_s)


@pytest.mark.parametrize(("silent_s", "alarm"), [(4.9, False), (5.0, True), (5.1, True)])
def test_no_data(silent_s, alarm):
    assert rules.no_data(round(silent_s * NS), 0) is alarm


@pytest.mark.parametrize(("lasts_s", "alarm"), [(9.9, False), (10.0, True), (10.1, True)])
def test_technical_conditions_must_last(lasts_s, alarm):
    assert rules.lasts(round(lasts_s * NS), 0) is alarm


def test_each_kind_has_a_priority_and_only_lethal_ones_are_high():
    assert set(PRIORITY) == set(AlarmKind)
    assert {kind for kind, priority in PRIORITY.items() if priority is Priority.HIGH} == LETHAL


def test_all_leads_off_is_more_urgent_than_one():
    assert rules.lead_off_priority(all_off=True) > rules.lead_off_priority(all_off=False)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"asystole_s": 0}, "asystole_s"),
        ({"asystole_s": 10.5}, "60601-2-27"),
        ({"no_data_s": float("nan")}, "no_data_s"),
        ({"bradycardia_bpm": 150.0}, "below"),
        ({"bradycardia_beats": 1}, "bradycardia_beats"),
        ({"tachycardia_beats": 16.5}, "tachycardia_beats"),
        ({"technical_s": "ten"}, "technical_s"),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_name(wrong, named):
    with pytest.raises(BadSetting, match=named):
        Limits(**wrong)
