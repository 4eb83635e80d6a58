"""Each rule at its exact limits."""

from itertools import pairwise

import pytest

from alerts import rules
from alerts.rules import PRIORITY, Limits, rhythm, ventricular
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


@pytest.mark.parametrize(("quiet_s", "alarm"), [(2.4, False), (2.5, False), (2.6, True)])
def test_pause(quiet_s, alarm):
    assert rules.pause(round(quiet_s * NS), 0) is alarm


@pytest.mark.parametrize(("rate", "alarm"), [(119, False), (120, False), (121, True)])
def test_heart_rate_above_its_limit(rate, alarm):
    assert rules.above(rules.median_bpm(beats_at(rate, 9))) is alarm


@pytest.mark.parametrize(("rate", "alarm"), [(49, True), (50, False), (51, False)])
def test_heart_rate_below_its_limit(rate, alarm):
    assert rules.below(rules.median_bpm(beats_at(rate, 9))) is alarm


def test_heart_rate_is_that_of_the_median_interval():
    beats = [0, 1, 2, 3, 4, 5, 6, 7, 20]  # one interval of 13 s among seven of 1 s
    assert rules.median_bpm([b * NS for b in beats]) == 60.0


@pytest.mark.parametrize(("lasts_s", "alarm"), [(3.9, False), (4.0, True), (4.1, True)])
def test_ventricular_fibrillation(lasts_s, alarm):
    assert ventricular.fibrillation(round(lasts_s * NS), 0) is alarm


@pytest.mark.parametrize(("rate", "alarm"), [(99, False), (100, False), (101, True)])
def test_ventricular_tachycardia(rate, alarm):
    assert ventricular.tachycardia(beats_at(rate, 5)) is alarm


@pytest.mark.parametrize(
    ("rate", "alarm"), [(39, False), (40, True), (41, True), (99, True), (100, True), (101, False)]
)
def test_ventricular_rhythm(rate, alarm):
    assert ventricular.rhythm(beats_at(rate, 14)) is alarm


@pytest.mark.parametrize(
    ("classes", "n"), [("", 0), ("n", 0), ("nV", 1), ("nVV", 2), ("VnVVV", 3), ("VV?", 0)]
)
def test_ventricular_beats_in_a_row(classes, n):
    assert ventricular.in_a_row(classes) == n


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        ("nVVn", True),
        ("SVVn", True),
        ("VVVn", False),
        ("nVn", False),
        ("nVV", False),
        ("nVV?", False),
        ("xVVn", False),
        ("VVn", False),
    ],
)
def test_couplet(classes, found):
    assert ventricular.couplet(classes) is found


@pytest.mark.parametrize(
    ("classes", "found"),
    [("nVnVnV", True), ("nVnV", False), ("nVnVnVn", False), ("nVnVVV", False), ("nV?VnV", False)],
)
def test_bigeminy(classes, found):
    assert ventricular.bigeminy(classes) is found


@pytest.mark.parametrize(
    ("classes", "found"),
    [("nnVnnVnnV", True), ("nnVnnV", False), ("nnVnnVnV", False), ("VnnVnnVnnV", True)],
)
def test_trigeminy(classes, found):
    assert ventricular.trigeminy(classes) is found


@pytest.mark.parametrize(
    ("coupling_s", "rr_s", "found"),
    [(0.39, 1.0, True), (0.40, 1.0, False), (0.41, 1.0, False), (0.31, 0.64, True)],
)
def test_r_on_t(coupling_s, rr_s, found):
    """At 60/min a QT interval is 0.40 s; by Bazett 0.32 s at an interval of 0.64 s."""
    assert ventricular.r_on_t(coupling_s, rr_s) is found


@pytest.mark.parametrize(("pvcs", "alarm"), [(9, False), (10, False), (11, True)])
def test_ventricular_beats_a_minute(pvcs, alarm):
    assert ventricular.pvc_rate(pvcs) is alarm
    assert not ventricular.pvc_rate(float("nan"))


@pytest.mark.parametrize(("rate", "alarm"), [(129, False), (130, False), (131, True)])
def test_svt(rate, alarm):
    beats = beats_at(rate, 5)
    if rate == 130:  # as for 140/min: take the later of two nanoseconds
        beats[-1] = -(-4 * 60 * NS // 130)
    assert rhythm.svt(beats) is alarm


@pytest.mark.parametrize(("lasts_s", "alarm"), [(59.9, False), (60.0, True), (60.1, True)])
def test_atrial_fibrillation(lasts_s, alarm):
    assert rhythm.fibrillation(round(lasts_s * NS), 0) is alarm


@pytest.mark.parametrize(
    ("rr_s", "found"), [(1.74, False), (1.75, False), (1.76, True), (2.5, True), (2.51, False)]
)
def test_missed_beat_is_nearly_two_intervals_and_no_pause(rr_s, found):
    assert rhythm.missed_beat(rr_s, 1.0) is found


@pytest.mark.parametrize(("changes", "found"), [(7, False), (8, True), (9, True)])
def test_irregular_is_half_of_the_last_sixteen_intervals(changes, found):
    assert rhythm.irregular((1 << changes) - 1) is found


def test_an_interval_has_changed_when_it_differs_by_more_than_an_eighth():
    assert [rhythm.is_change(rr, 800) for rr in (699, 700, 900, 901)] == [True, False, False, True]


@pytest.mark.parametrize(
    ("priority", "waits_s"), [(Priority.HIGH, 60), (Priority.MEDIUM, 180), (Priority.LOW, 600)]
)
def test_unanswered_after_a_time_that_depends_on_the_priority(priority, waits_s):
    assert not rules.unanswered(waits_s * NS - 1, 0, priority)
    assert rules.unanswered(waits_s * NS, 0, priority)
    assert not rules.unanswered(10**6 * NS, 0, Priority.INFO)


@pytest.mark.parametrize("age", ["adult", "child", "neonate"])
def test_each_age_has_limits_that_agree(age):
    limits = rules.for_age(age)
    assert limits.bradycardia_bpm <= limits.low_bpm < limits.high_bpm <= limits.tachycardia_bpm


def test_the_younger_the_faster():
    adult, child, neonate = map(rules.for_age, ("adult", "child", "neonate"))
    for name in ("high_bpm", "low_bpm", "tachycardia_bpm", "svt_bpm", "vt_bpm"):
        assert getattr(adult, name) < getattr(child, name) < getattr(neonate, name)


def test_limits_are_changed_by_name():
    changed = Limits().changed(high_bpm=130, tachycardia_beats=12.0)
    assert (changed.high_bpm, changed.tachycardia_beats) == (130, 12)
    with pytest.raises(BadSetting, match=r"no limit 'hihg_bpm': there are asystole_s"):
        Limits().changed(hihg_bpm=130)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"low_bpm": 125.0}, "low_bpm = 125 must lie below high_bpm = 120"),
        ({"high_bpm": 150.0}, "high_bpm = 150 must not lie above tachycardia_bpm = 140"),
        ({"low_bpm": 35.0}, "bradycardia_bpm = 40 must not lie above low_bpm = 35"),
        ({"pause_s": 4.5}, "pause_s = 4.5 must not lie above asystole_s = 4"),
        ({"vt_bpm": 80.0, "rhythm_bpm": 90.0}, "rhythm_bpm = 90 must lie below vt_bpm"),
        ({"af_s": 20}, "af_s = 20: must be a number from 30 to 3600"),
        ({"vt_beats": True}, "vt_beats = True: must be a whole number"),
    ],
)
def test_limits_that_contradict_each_other_are_refused_by_name(wrong, named):
    with pytest.raises(BadSetting, match=named):
        Limits(**wrong)
