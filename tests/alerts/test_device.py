"""Alarms that a device raises itself: told at once or not, checked within ten seconds."""

import pytest

from alerts import device
from alerts.device import Verdict
from alerts.engine import Acknowledge, DeviceAlarm, FrameSeen, Tick, from_json, step, to_json
from alerts.words import AlarmKind, Phase, Priority


def told(bed):
    return [(t.kind, t.phase) for t in bed.log if t.alarm_id in ids(bed)]


def ids(bed):
    return {t.alarm_id for t in bed.log}


def claim(bed, findings, name, at_s, **words):
    return bed.take(DeviceAlarm(name, findings.ns(at_s), **words), findings.ns(at_s))


def tick(bed, findings, at_s):
    bed.take(FrameSeen(findings.ns(at_s)), findings.ns(at_s))
    return bed.take(Tick(), findings.ns(at_s))


def beating(bed, findings, until_s, rr_s=0.8, aami="N"):
    n = int((until_s - 0.5) / rr_s) + 1
    bed.take(findings.analysed(0, until_s, [0.5 + i * rr_s for i in range(n)], aami=aami))


def test_a_lethal_alarm_is_told_before_anybody_has_checked_it(bed, findings):
    (raised,) = claim(bed, findings, "asystole", 1)
    assert (raised.kind, raised.phase) == (AlarmKind.ASYSTOLE, Phase.RAISED)
    assert raised.priority is Priority.HIGH
    assert raised.text == "The device says: asystole. (not checked yet)"


def test_any_other_waits_for_the_verdict(bed, findings):
    assert claim(bed, findings, "couplet", 1) == ()
    for s in range(1, 11):
        assert tick(bed, findings, s) == ()
    raised, verified = tick(bed, findings, 11)
    assert (raised.phase, verified.phase) == (Phase.RAISED, Phase.VERIFIED)
    assert "Checked, undecided: " in verified.text


@pytest.mark.parametrize(("waits_s", "is_decided"), [(9.9, False), (10.0, True), (10.1, True)])
def test_undecided_is_said_after_ten_seconds(bed, findings, waits_s, is_decided):
    claim(bed, findings, "asystole", 1)
    transitions = tick(bed, findings, 1 + waits_s)
    assert bool(transitions) is is_decided


def test_a_false_lethal_alarm_is_taken_back_with_the_reason(bed, findings):
    beating(bed, findings, 20)
    claim(bed, findings, "asystole", 19)
    (verdict,) = tick(bed, findings, 20)
    assert verdict.phase is Phase.SUPPRESSED
    assert "Checked, false: 13 beats in the 10 s before" in verdict.text
    assert not bed.shown


def test_a_true_alarm_is_confirmed_by_the_rules_themselves(bed, findings):
    bed.take(findings.analysed(0, 8, [0.5]))
    claim(bed, findings, "asystole", 7)
    tick(bed, findings, 8)
    assert any(t.phase is Phase.VERIFIED and "Checked, true: " in t.text for t in bed.log)
    assert [a.about for a in bed.state.alarms] == ["", "device"] or [
        a.about for a in bed.state.alarms
    ] == ["device", ""]


@pytest.mark.parametrize(
    ("name", "rr_s", "aami", "false"),
    [
        ("tachycardia", 0.8, "N", True),
        ("tachycardia", 0.4, "N", False),
        ("bradycardia", 0.8, "N", True),
        ("bradycardia", 1.4, "N", False),
        ("vtach", 0.8, "N", True),
        ("vtach", 0.8, "Q", False),
        ("vfib", 0.8, "N", False),
    ],
)
def test_beats_in_good_signal_may_contradict(bed, findings, name, rr_s, aami, false):
    beating(bed, findings, 20, rr_s, aami)
    claim(bed, findings, name, 20)
    phases = [t.phase for t in tick(bed, findings, 20)]
    assert (Phase.SUPPRESSED in phases) is false
    if name == "tachycardia" and not false:
        assert phases == [Phase.VERIFIED]


def test_beats_in_poor_signal_contradict_nothing(bed, findings):
    beating(bed, findings, 20)
    bed.take(findings.analysed(20, 22, [], [1]))
    claim(bed, findings, "asystole", 21)
    assert tick(bed, findings, 22) == ()


def test_an_acknowledged_alarm_of_a_device_that_is_false_goes_too(bed, findings):
    (raised,) = claim(bed, findings, "asystole", 19)
    bed.take(Acknowledge(raised.alarm_id, "nurse"))
    beating(bed, findings, 20)
    (verdict,) = tick(bed, findings, 20)
    assert verdict.phase is Phase.SUPPRESSED


def test_repeated_is_the_same_alarm_and_taken_back_ends_it(bed, findings):
    for s in (1, 2, 3):
        claim(bed, findings, "vfib", s)
    assert [t.phase for t in bed.log] == [Phase.RAISED]
    claim(bed, findings, "vfib", 4, on=False)
    assert [t.phase for t in bed.log] == [Phase.RAISED, Phase.LATCHED]


def test_what_is_heard_of_no_more_is_over_after_a_minute(bed, findings):
    claim(bed, findings, "apnea", 0, text="No breath for 20 s", priority=Priority.HIGH)
    tick(bed, findings, 10)
    (alarm,) = bed.state.alarms
    assert (alarm.kind, alarm.priority) == (AlarmKind.DEVICE_ALARM, Priority.HIGH)
    assert alarm.text.startswith("The device says: No breath for 20 s.")
    tick(bed, findings, 59.9)
    assert bed.state.alarms
    tick(bed, findings, 60)
    assert not bed.state.alarms


def test_claims_survive_a_restart(bed, findings):
    claim(bed, findings, "asystole", 1, priority=Priority.HIGH)
    back = from_json(to_json(bed.state), bed.state.place)
    assert back.claims == bed.state.claims
    assert back.alarms == bed.state.alarms


def test_another_judge_may_take_the_place_of_the_rules(bed, findings):
    claim(bed, findings, "asystole", 1)

    def judge(claim, known):
        return Verdict("true", "six leads flat.")

    _, (verdict,) = step(bed.state, Tick(), findings.ns(2), judge)
    assert verdict.text == "The device says: asystole. Checked, true: six leads flat."


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Ventricular_Tachycardia", "ventricular_tachycardia"),
        ("Ventricular_Flutter_Fib", "ventricular_fibrillation"),
        ("heart rate high", "heart_rate_high"),
        ("battery_low", "device_alarm"),
        ("SpO2 low", "device_alarm"),
    ],
)
def test_names_that_devices_use(name, kind):
    assert device.kind_of(name) == kind
