"""Troubles at a bed: shown while they are seen, a little longer, and no more."""

from alerts.engine import FrameSeen, Place
from alerts.words import Acknowledge, AlarmKind, Phase
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
    assert [(row.phase, row.by) for row in outcome.rows] == [
        ("raised", None),
        ("acknowledged", "nurse"),
    ]
    assert {(row.ward, row.bed, row.patient) for row in outcome.rows} == {("icu", "1", "p-1")}


def test_a_silent_device_is_told_and_forgiven():
    place, outcome = desk(), Outcome()
    place.step(FrameSeen(T0), T0, outcome)
    place.tick(T0 + 6 * S, outcome)
    assert shown(place, T0) == [(AlarmKind.NO_DATA, Phase.RAISED)]
    assert not place.document(T0).connected
    place.step(FrameSeen(T0 + 7 * S), T0 + 7 * S, outcome)
    assert shown(place, T0) == []
    assert place.document(T0).connected
