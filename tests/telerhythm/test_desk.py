"""Troubles at a bed: shown while they are seen, a little longer, and no more."""

import pytest

from alerts.engine import Analysed, FrameSeen, Place
from alerts.words import (
    Acknowledge,
    AlarmKind,
    Off,
    PauseAudio,
    Phase,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
)
from store.base import AuditRow, StateRow, TransitionRow
from telerhythm.desk import TROUBLE_HOLD_NS, AlarmDesk, Outcome

T0 = 1_772_366_400_000_000_000
S = 10**9


def desk():
    return AlarmDesk(Place("icu", "1", device="site/dev"), "p-1")


def shown(desk, now_ns):
    return [(a.kind, a.phase) for a in desk.document(now_ns).alarms]


def test_a_trouble_is_raised_once_however_often_it_is_seen():
    outcome, place = Outcome(), desk()
    for i in range(5):
        place.trouble(AlarmKind.BAD_DATA, "cannot be read", T0 + i * S, outcome)
    assert [t.phase for t in outcome.transitions] == [Phase.RAISED]
    assert shown(place, T0) == [(AlarmKind.BAD_DATA, Phase.RAISED)]


def test_a_trouble_ends_when_it_was_not_seen_for_a_while():
    place, outcome = desk(), Outcome()
    place.trouble(AlarmKind.BAD_DATA, "cannot be read", T0, outcome)
    place.step(FrameSeen(T0 + TROUBLE_HOLD_NS - 1), T0 + TROUBLE_HOLD_NS - 1, outcome)
    place.tick(T0 + TROUBLE_HOLD_NS - 1, outcome)
    assert shown(place, T0) != []
    place.tick(T0 + TROUBLE_HOLD_NS, outcome)
    assert shown(place, T0) == []


def test_unknown_devices_are_told_one_by_one():
    place, outcome = AlarmDesk(Place("icu", "_system"), "_system"), Outcome()
    for device in ("a/1", "a/2", "a/1"):
        place.trouble(AlarmKind.UNKNOWN_DEVICE, f"{device} is at no bed", T0, outcome, device)
    assert len(place.document(T0).alarms) == 2


def test_every_transition_becomes_a_row_for_the_log():
    place, outcome = desk(), Outcome()
    place.trouble(AlarmKind.CLOCK_WRONG, "clock", T0, outcome)
    (alarm,) = place.document(T0).alarms
    place.command(Acknowledge(alarm.id, "nurse", T0 + S), T0 + 2 * S, outcome)
    rows = [row for row in outcome.rows if isinstance(row, TransitionRow)]
    assert [(row.phase, row.by) for row in rows] == [("raised", None), ("acknowledged", "nurse")]
    assert {(row.ward, row.bed, row.patient) for row in rows} == {("icu", "1", "p-1")}


def states(outcome):
    return [row for row in outcome.rows if isinstance(row, StateRow)]


def test_the_state_is_kept_when_alarms_change_and_not_with_every_frame():
    place, outcome = desk(), Outcome()
    place.tick(T0, outcome)
    for i in range(20):
        place.step(FrameSeen(T0 + i * S), T0 + i * S, outcome)
        place.step(Analysed(T0 + i * S), T0 + i * S, outcome)
    assert states(outcome) == []
    place.trouble(AlarmKind.BAD_DATA, "cannot be read", T0, outcome)
    (row,) = states(outcome)
    assert row.key == "desk/icu/1"
    assert "bad_data" in row.value


@pytest.mark.parametrize(
    ("before", "command", "detail"),
    [
        (None, SetLimits((("high_bpm", 130),), "dr"), "high_bpm 120 -> 130"),
        (None, SwitchOff(AlarmKind.COUPLET, "dr"), "couplet"),
        (SwitchOff(AlarmKind.COUPLET, "dr"), SwitchOn(AlarmKind.COUPLET, "dr"), "couplet"),
        (None, PauseAudio("dr"), "120 s"),
        (PauseAudio("dr"), ResumeAudio("dr"), "sound on"),
    ],
)
def test_who_changed_what_and_when_is_in_the_audit(before, command, detail):
    place, outcome = desk(), Outcome()
    if before is not None:
        place.command(before, T0, Outcome())
    place.command(command, T0, outcome)
    (row,) = [row for row in outcome.rows if isinstance(row, AuditRow)]
    name = {"SetLimits": "limits"}.get(type(command).__name__, row.action)
    assert (row.t_ns, row.who, row.action) == (T0, "dr", name)
    assert row.detail == f"icu/1 p-1: {detail}"


@pytest.mark.parametrize(
    "command",
    [
        SetLimits((("high_bpm", 120),), "dr"),
        SwitchOn(AlarmKind.COUPLET, "dr"),
        ResumeAudio("dr"),
        Acknowledge("asystole.1.1", "dr"),
    ],
)
def test_what_changes_nothing_is_not_in_the_audit(command):
    place, outcome = desk(), Outcome()
    place.command(command, T0, outcome)
    assert not [row for row in outcome.rows if isinstance(row, AuditRow)]


def test_a_document_is_made_when_something_has_changed_and_only_then():
    place, outcome = desk(), Outcome()
    assert place.news(T0)  # the first
    assert not place.news(T0)
    place.tick(T0, outcome)
    assert place.news(T0)  # a frame may come from now on
    for i in range(3):
        place.step(FrameSeen(T0 + i * S), T0 + i * S, outcome)
        place.step(Analysed(T0 + i * S), T0 + i * S, outcome)
        assert not place.news(T0)
    place.step(Analysed(T0, leads=("II",)), T0, outcome)
    assert place.news(T0)
    place.trouble(AlarmKind.BAD_DATA, "cannot be read", T0, outcome)
    assert place.news(T0)
    place.command(PauseAudio("dr"), T0, outcome)
    assert place.news(T0)
    assert not place.news(T0)


def test_another_process_goes_on_where_this_one_was():
    place, outcome = desk(), Outcome()
    place.tick(T0, outcome)
    place.trouble(AlarmKind.CLOCK_WRONG, "clock", T0, outcome)
    place.command(SetLimits((("high_bpm", 130),), "dr"), T0, outcome)
    place.command(SwitchOff(AlarmKind.COUPLET, "dr"), T0, outcome)
    other = AlarmDesk(
        Place("icu", "1", device="site/dev"), "p-1", off=(Off(AlarmKind.IRREGULAR, 0, "settings"),)
    )
    other.resume(states(outcome)[-1].value, T0 + 5 * S)
    told = other.document(T0 + 5 * S)
    assert told.alarms == place.document(T0).alarms
    assert [o.kind for o in told.off] == [AlarmKind.COUPLET, AlarmKind.IRREGULAR]
    assert dict(told.limits)["high_bpm"] == 130
    after = Outcome()
    other.trouble(AlarmKind.CLOCK_WRONG, "clock", T0 + 6 * S, after)
    assert after.transitions == []  # active already: not raised again


def test_a_trouble_that_nobody_reports_after_a_restart_is_over():
    place, outcome = desk(), Outcome()
    place.trouble(AlarmKind.CLOCK_WRONG, "clock", T0, outcome)
    other = desk()
    other.resume(states(outcome)[-1].value, T0)
    other.tick(T0 + TROUBLE_HOLD_NS, Outcome())
    assert AlarmKind.CLOCK_WRONG not in {kind for kind, _ in shown(other, T0)}


def test_a_silent_device_is_told_and_forgiven():
    place, outcome = desk(), Outcome()
    place.step(FrameSeen(T0), T0, outcome)
    place.tick(T0 + 6 * S, outcome)
    assert shown(place, T0) == [(AlarmKind.NO_DATA, Phase.RAISED)]
    assert not place.document(T0).connected
    place.step(FrameSeen(T0 + 7 * S), T0 + 7 * S, outcome)
    assert shown(place, T0) == []
    assert place.document(T0).connected
