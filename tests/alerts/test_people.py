"""What people command: silence, switching off, limits; and what happens when they do nothing."""

import pytest

from alerts.delivery import document
from alerts.engine import FrameSeen, Tick, Trouble, from_json, to_json
from alerts.state import Override
from alerts.words import (
    Acknowledge,
    AlarmKind,
    Off,
    PauseAudio,
    Phase,
    Priority,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
    is_audible,
)
from ecg.codes import QualityCode
from ecg.errors import BadInput

FLAT = QualityCode.FLAT
LOW = Trouble(AlarmKind.BATTERY_LOW, True, "Battery at 9 %.")


def audible(bed):
    told = document(bed.state, 0)
    return [a.kind for a in told.alarms if is_audible(a, told.audio_pause)]


def tick(bed, findings, at_s):
    bed.take(FrameSeen(findings.ns(at_s)), findings.ns(at_s))
    return bed.take(Tick(), findings.ns(at_s))


@pytest.mark.parametrize(("after_s", "sounds"), [(119.9, False), (120, True)])
def test_a_pause_of_the_sound_ends_after_two_minutes(bed, findings, after_s, sounds):
    bed.take(LOW, findings.ns(0))
    assert audible(bed) == [AlarmKind.BATTERY_LOW]
    bed.take(PauseAudio("nurse"), findings.ns(0))
    tick(bed, findings, after_s)
    assert bool(audible(bed)) is sounds
    assert AlarmKind.BATTERY_LOW in bed.shown  # shown all the while


def test_a_pause_has_a_name_and_its_length_and_can_be_ended(bed, findings):
    bed.take(LOW)
    bed.take(PauseAudio("nurse", for_s=30), findings.ns(5))
    pause = bed.state.audio_pause
    assert (pause.by, pause.until_ns) == ("nurse", findings.ns(35))
    bed.take(ResumeAudio("nurse"), findings.ns(6))
    assert audible(bed) == [AlarmKind.BATTERY_LOW]


def test_a_new_alarm_of_high_priority_ends_the_pause(bed, findings):
    bed.take(PauseAudio("nurse"), findings.ns(0))
    bed.take(LOW, findings.ns(1))
    assert audible(bed) == []
    bed.take(findings.analysed(0, 6, [], [FLAT]), findings.ns(6))
    assert audible(bed) == [AlarmKind.ASYSTOLE, AlarmKind.BATTERY_LOW]


def test_a_wall_clock_that_is_set_back_makes_no_pause_longer(bed, findings):
    bed.take(PauseAudio("nurse"), findings.ns(3600))
    tick(bed, findings, 0)
    tick(bed, findings, 119)
    assert bed.state.audio_pause is not None
    tick(bed, findings, 120)
    assert bed.state.audio_pause is None


def test_what_is_switched_off_ends_is_marked_and_does_not_come_back(bed, findings):
    bed.take(LOW)
    (ended,) = bed.take(SwitchOff(AlarmKind.BATTERY_LOW, "nurse", findings.ns(3)), findings.ns(4))
    assert (ended.phase, ended.by) == (Phase.ENDED, "nurse")
    assert document(bed.state, 0).off == (Off(AlarmKind.BATTERY_LOW, findings.ns(3), "nurse"),)
    assert bed.take(LOW) == ()
    bed.take(SwitchOn(AlarmKind.BATTERY_LOW, "nurse"))
    assert document(bed.state, 0).off == ()
    bed.take(LOW)
    assert AlarmKind.BATTERY_LOW in bed.shown


@pytest.mark.parametrize("kind", ["asystole", "ventricular_fibrillation", "no_data"])
def test_what_a_patient_would_die_of_unseen_cannot_be_switched_off(bed, kind):
    with pytest.raises(BadInput, match="cannot be switched off"):
        bed.take(SwitchOff(AlarmKind(kind), "nurse"))


def test_limits_are_set_for_the_patient_with_who_and_when(bed, findings):
    bed.take(
        SetLimits((("asystole_s", 3), ("high_bpm", 130)), "dr", findings.ns(1)), findings.ns(2)
    )
    assert (bed.state.limits.asystole_s, bed.state.limits.high_bpm) == (3, 130)
    assert bed.state.overrides == (
        Override("asystole_s", 3, "dr", findings.ns(1)),
        Override("high_bpm", 130, "dr", findings.ns(1)),
    )
    bed.take(findings.analysed(0, 5, [1.5]))
    assert bed.shown[AlarmKind.ASYSTOLE].since_ns == findings.ns(4.5)
    assert dict(document(bed.state, 0).limits)["asystole_s"] == 3


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ((("high_bpm", 40),), "low_bpm = 50 must lie below high_bpm = 40"),
        ((("asystole", 3),), "there is no limit 'asystole'"),
        ((("asystole_s", 30),), "asystole_s = 30"),
    ],
)
def test_limits_that_make_no_sense_change_nothing(bed, limits, told):
    before = bed.state
    with pytest.raises(BadInput, match=told):
        bed.take(SetLimits(limits, "dr"))
    assert bed.state is before


def test_limits_survive_a_restart_but_not_another_patient(new_bed):
    bed = new_bed()
    bed.take(SetLimits((("high_bpm", 130),), "dr", 5))
    text = to_json(bed.state)
    assert from_json(text, bed.state.place).limits.high_bpm == 130
    from dataclasses import replace

    with pytest.raises(BadInput, match="another patient"):
        from_json(text, replace(bed.state.place, patient="p-2"))


def test_limits_that_contradict_changed_settings_give_way(new_bed):
    from alerts.engine import Limits

    bed = new_bed()
    bed.take(SetLimits((("high_bpm", 130),), "dr", 5))
    settings = Limits(high_bpm=160, low_bpm=140, tachycardia_bpm=170)
    back = from_json(to_json(bed.state), bed.state.place, settings)
    assert (back.limits, back.overrides) == (settings, ())


@pytest.mark.parametrize(("after_s", "escalated"), [(59.9, False), (60, True), (61, True)])
def test_a_lethal_alarm_that_nobody_acknowledges_is_passed_on(bed, findings, after_s, escalated):
    bed.take(findings.analysed(0, 6, [], [FLAT]), findings.ns(0))
    tick(bed, findings, after_s)
    assert bed.shown[AlarmKind.ASYSTOLE].escalated is escalated
    tick(bed, findings, 600)
    kind = AlarmKind.ASYSTOLE
    assert bed.phases(kind) == [Phase.RAISED, Phase.ESCALATED]


def test_one_that_is_over_and_unseen_is_passed_on_too(bed, findings):
    bed.take(findings.analysed(0, 6, [], [FLAT]), findings.ns(6))
    bed.take(findings.analysed(6, 8, [7.5]), findings.ns(8))
    tick(bed, findings, 70)
    kind = AlarmKind.ASYSTOLE
    assert bed.phases(kind) == [Phase.RAISED, Phase.LATCHED, Phase.ESCALATED]
    assert bed.shown[kind].phase is Phase.LATCHED


def test_what_somebody_knows_of_is_not_passed_on(bed, findings):
    bed.take(findings.analysed(0, 6, [], [FLAT]), findings.ns(6))
    bed.take(Acknowledge(bed.shown[AlarmKind.ASYSTOLE].id, "nurse"), findings.ns(7))
    tick(bed, findings, 600)
    assert Phase.ESCALATED not in bed.phases(AlarmKind.ASYSTOLE)


def test_a_clock_that_is_set_back_delays_no_escalation_for_long(bed, findings):
    bed.take(findings.analysed(0, 6, [], [FLAT]), findings.ns(3600))
    tick(bed, findings, 0)
    tick(bed, findings, 60)
    assert bed.shown[AlarmKind.ASYSTOLE].escalated


def test_priorities_wait_their_own_time(bed, findings):
    bed.take(LOW, findings.ns(0))
    tick(bed, findings, 599)
    assert bed.state.alarms[0].priority is Priority.LOW
    assert not bed.state.alarms[0].escalated
    tick(bed, findings, 600)
    assert bed.state.alarms[0].escalated
