"""The engine: silence of a device, troubles, people, restarts."""

import json

import pytest

from alerts.engine import (
    Acknowledge,
    Event,
    FrameSeen,
    Place,
    Reset,
    Tick,
    Trouble,
    begin,
    from_json,
    step,
    to_json,
)
from alerts.words import SYSTEM_BED, AlarmKind, Phase
from ecg.codes import QualityCode
from ecg.errors import BadInput

FLAT = QualityCode.FLAT


def asystole(bed, findings, from_s=0):
    """Raise one; returns its alarm."""
    bed.take(findings.analysed(from_s, from_s + 6, [], [FLAT]), findings.ns(from_s + 6))
    return bed.shown[AlarmKind.ASYSTOLE]


@pytest.mark.parametrize(("silent_s", "alarm"), [(4.9, False), (5.0, True), (5.1, True)])
def test_no_data_five_seconds_after_the_last_frame(bed, findings, silent_s, alarm):
    bed.take(Tick(), findings.ns(0))
    bed.take(FrameSeen(findings.ns(1)), findings.ns(1))
    bed.take(Tick(), findings.ns(1 + silent_s))
    assert (AlarmKind.NO_DATA in bed.shown) is alarm
    if alarm:
        assert bed.shown[AlarmKind.NO_DATA].since_ns == findings.ns(6)


def test_no_data_ends_with_the_next_frame(bed, findings):
    bed.take(Tick(), findings.ns(0))
    bed.take(Tick(), findings.ns(6))
    bed.take(FrameSeen(findings.ns(7)), findings.ns(7))
    assert bed.phases(AlarmKind.NO_DATA) == [Phase.RAISED, Phase.ENDED]


def test_a_device_that_never_came_is_silent_too(bed, findings):
    for s in range(6):
        bed.take(Tick(), findings.ns(s))
    assert AlarmKind.NO_DATA in bed.shown


def test_a_wall_clock_that_is_set_back_hides_no_silence(bed, findings):
    bed.take(FrameSeen(findings.ns(3600)), findings.ns(3600))
    bed.take(Tick(), findings.ns(0))
    bed.take(Tick(), findings.ns(5))
    assert AlarmKind.NO_DATA in bed.shown


def test_the_bed_of_the_ward_itself_has_no_device_that_could_fall_silent(new_bed, findings):
    bed = new_bed(device="")
    for s in range(60):
        bed.take(Tick(), findings.ns(s))
    assert not bed.log


def test_acknowledged_then_over_ends(bed, findings):
    alarm = asystole(bed, findings)
    bed.take(Acknowledge(alarm.id, "nurse"), findings.ns(7))
    assert bed.shown[AlarmKind.ASYSTOLE].acknowledged_by == "nurse"
    bed.take(findings.analysed(6, 8, [7.5]), findings.ns(8))
    assert bed.phases(AlarmKind.ASYSTOLE) == [Phase.RAISED, Phase.ACKNOWLEDGED, Phase.ENDED]
    assert not bed.shown


def test_over_before_anybody_saw_it_stays_until_somebody_has(bed, findings):
    alarm = asystole(bed, findings)
    bed.take(findings.analysed(6, 8, [7.5]), findings.ns(8))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.LATCHED
    bed.take(Acknowledge(alarm.id, "nurse"), findings.ns(9))
    assert bed.phases(AlarmKind.ASYSTOLE) == [Phase.RAISED, Phase.LATCHED, Phase.RESET]
    assert bed.log[-1].by == "nurse"
    assert not bed.shown


def test_reset_takes_away_what_is_over_and_nothing_else(bed, findings):
    alarm = asystole(bed, findings)
    assert bed.take(Reset(alarm.id, "nurse")) == ()
    bed.take(findings.analysed(6, 8, [7.5]), findings.ns(8))
    bed.take(Reset(alarm.id, "nurse"))
    assert not bed.shown


def test_an_acknowledgement_on_its_way_does_not_reach_the_next_condition(bed, findings):
    first = asystole(bed, findings)
    bed.take(findings.analysed(6, 8, [7.5]))
    second = asystole(bed, findings, from_s=8)
    assert bed.take(Acknowledge(first.id, "nurse")) == ()
    assert bed.shown[AlarmKind.ASYSTOLE] == second
    assert second.phase is Phase.RAISED
    assert bed.phases(AlarmKind.ASYSTOLE) == [
        Phase.RAISED,
        Phase.LATCHED,
        Phase.ENDED,
        Phase.RAISED,
    ]


def test_acknowledging_twice_or_what_is_not_there_changes_nothing(bed, findings):
    alarm = asystole(bed, findings)
    bed.take(Acknowledge(alarm.id, "nurse"))
    assert bed.take(Acknowledge(alarm.id, "another")) == ()
    assert bed.take(Acknowledge("asystole.0.99", "nurse")) == ()
    assert bed.shown[AlarmKind.ASYSTOLE].acknowledged_by == "nurse"


def test_the_time_of_a_command_is_that_of_the_button_unless_it_cannot_be(bed, findings):
    alarm = asystole(bed, findings)
    pressed = Acknowledge(alarm.id, "nurse", t_ns=findings.ns(6.5))
    (early,) = step(bed.state, pressed, findings.ns(7))[1]
    assert (early.t_ns, early.noted_ns) == (findings.ns(6.5), findings.ns(7))
    (future,) = step(bed.state, Acknowledge(alarm.id, "nurse", findings.ns(99)), findings.ns(7))[1]
    assert future.t_ns == findings.ns(7)


def test_each_subject_has_its_own_trouble(new_bed):
    bed = new_bed(device="")
    bed.take(Trouble(AlarmKind.UNKNOWN_DEVICE, True, "Device a/1 is unknown.", about="a/1"))
    (first,) = bed.state.alarms
    bed.take(Acknowledge(first.id, "nurse"))
    bed.take(Trouble(AlarmKind.UNKNOWN_DEVICE, True, "Device a/2 is unknown.", about="a/2"))
    assert [a.phase for a in bed.state.alarms] == [Phase.RAISED, Phase.ACKNOWLEDGED]
    bed.take(Trouble(AlarmKind.UNKNOWN_DEVICE, False, about="a/1"))
    assert [a.about for a in bed.state.alarms] == ["a/2"]


def test_a_trouble_that_is_told_again_is_raised_once(bed):
    for _ in range(3):
        bed.take(Trouble(AlarmKind.BATTERY_LOW, True, "Battery at 9 %."))
    assert bed.phases(AlarmKind.BATTERY_LOW) == [Phase.RAISED]


def test_the_most_urgent_stands_first(bed, findings):
    bed.take(Trouble(AlarmKind.BATTERY_LOW, True, "Battery at 9 %."))
    bed.take(Tick(), findings.ns(0))
    bed.take(Tick(), findings.ns(5))
    asystole(bed, findings)
    assert [a.kind for a in bed.state.alarms] == [
        AlarmKind.ASYSTOLE,
        AlarmKind.NO_DATA,
        AlarmKind.BATTERY_LOW,
    ]


def test_within_a_priority_what_nobody_knows_of_stands_first(bed, findings):
    alarm = asystole(bed, findings)
    bed.take(Acknowledge(alarm.id, "nurse"))
    slow = [6.5 + 2 * i for i in range(5)]
    bed.take(findings.analysed(6, 15, slow))
    asystole(bed, findings, from_s=15)
    bed.take(Acknowledge(bed.shown[AlarmKind.ASYSTOLE].id, "nurse"))
    assert [a.kind for a in bed.state.alarms] == [
        AlarmKind.EXTREME_BRADYCARDIA,
        AlarmKind.ASYSTOLE,
    ]


def resumed(state):
    return from_json(to_json(state), state.place, state.limits)


def test_after_a_restart_alarms_are_active_again_and_not_raised_again(bed, findings):
    alarm = asystole(bed, findings)
    bed.take(Trouble(AlarmKind.CLOCK_WRONG, True, "Clock is 3 min fast."))
    bed.state = resumed(bed.state)
    assert bed.take(findings.analysed(6, 7, [], [FLAT])) == ()
    bed.take(Acknowledge(alarm.id, "nurse"))
    assert bed.phases(AlarmKind.ASYSTOLE) == [Phase.RAISED, Phase.ACKNOWLEDGED]


def test_after_a_restart_the_signal_goes_on_where_it_was(bed, findings):
    bed.take(findings.analysed(0, 3, [0.5]))
    bed.state = resumed(bed.state)
    bed.take(findings.analysed(3, 5, []))
    assert bed.shown[AlarmKind.ASYSTOLE].since_ns == findings.ns(4.5)


def test_after_a_restart_the_silence_of_the_device_counts_anew(bed, findings):
    bed.take(FrameSeen(findings.ns(0)))
    bed.state = resumed(bed.state)
    bed.take(Tick(), findings.ns(3600))
    assert not bed.state.alarms
    bed.take(Tick(), findings.ns(3605))
    assert AlarmKind.NO_DATA in bed.shown


def test_numbers_of_alarms_go_on_after_a_restart(bed, findings):
    first = asystole(bed, findings)
    bed.take(Acknowledge(first.id, "nurse"))
    bed.take(findings.analysed(6, 7, [6.5]))
    bed.state = resumed(bed.state)
    assert asystole(bed, findings, from_s=7).id != first.id


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[" * 100_000,
        lambda text: "null",
        lambda text: text.replace('"v":1', '"v":2'),
        lambda text: text.replace('"bed":"bed"', '"bed":"other"'),
        lambda text: text.replace('"phase":"raised"', '"phase":"gone"'),
        lambda text: json.dumps({**json.loads(text), "signal": {"surprise": 1}}),
    ],
)
def test_a_damaged_state_is_refused_with_the_bed_named(bed, findings, damage):
    asystole(bed, findings)
    with pytest.raises(BadInput, match="ward/bed"):
        from_json(damage(to_json(bed.state)), bed.state.place)


def test_the_state_is_a_value(findings):
    state = begin(Place("ward", SYSTEM_BED))
    events: list[Event] = [findings.analysed(0, 6, [], [FLAT]), Tick()]
    for event in events:
        step(state, event, findings.ns(6))
    assert state == begin(Place("ward", SYSTEM_BED))
