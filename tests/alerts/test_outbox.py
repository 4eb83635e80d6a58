"""Who is told of what, what is outstanding, and in which order."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.outbox import LATE_NS, MOST, Message, Outbox, Receiver
from alerts.words import Alarm, AlarmKind, Phase, Priority, Transition
from ecg.clock import NS

NOON_NS = round(datetime(2026, 3, 1, 12, 0).timestamp()) * NS


def transition(phase=Phase.RAISED, alarm_id="a.1", priority=Priority.HIGH, at_s=0.0):
    t_ns = NOON_NS + round(at_s * NS)
    return Transition(alarm_id, AlarmKind.ASYSTOLE, priority, phase, t_ns, t_ns, "No heartbeat.")


def noted(outbox, *transitions, ward="icu"):
    return [outbox.note(ward, "1", t) is not None for t in transitions]


@pytest.mark.parametrize(
    ("receiver", "wanted"),
    [
        (Receiver("r"), True),
        (Receiver("r", wards=("icu", "er")), True),
        (Receiver("r", wards=("er",)), False),
        (Receiver("r", least=Priority.HIGH), True),
        (Receiver("r", hours=(12 * 60, 13 * 60)), True),
        (Receiver("r", hours=(11 * 60, 12 * 60)), False),
        (Receiver("r", hours=(19 * 60, 12 * 60 + 1)), True),
        (Receiver("r", hours=(19 * 60, 7 * 60)), False),
        (Receiver("r", escalated_only=True), False),
    ],
)
def test_receivers_by_ward_priority_and_hour(receiver, wanted):
    assert noted(Outbox(receiver), transition()) == [wanted]


def test_a_lower_priority_is_not_told():
    assert noted(Outbox(Receiver("r")), transition(priority=Priority.LOW)) == [False]


def test_whoever_was_told_that_it_began_is_told_what_became_of_it():
    outbox = Outbox(Receiver("r"))
    phases = [Phase.RAISED, Phase.ACKNOWLEDGED, Phase.ENDED]
    assert noted(outbox, *map(transition, phases)) == [True] * 3
    assert noted(outbox, transition(Phase.ENDED, "a.2")) == [False]
    assert noted(outbox, transition(Phase.ACKNOWLEDGED)) == [False]  # it is over


def test_whoever_is_told_of_escalations_only_hears_of_them_and_what_follows():
    outbox = Outbox(Receiver("r", escalated_only=True))
    phases = [Phase.RAISED, Phase.ESCALATED, Phase.ACKNOWLEDGED]
    assert noted(outbox, *map(transition, phases)) == [False, True, True]


def test_after_a_restart_it_is_known_who_was_told():
    outbox = Outbox(Receiver("r"))
    alarm = Alarm("a.1", AlarmKind.ASYSTOLE, Priority.HIGH, Phase.RAISED, 0, "")
    outbox.knows("icu", [alarm], NOON_NS)
    assert noted(outbox, transition(Phase.ACKNOWLEDGED)) == [True]


def test_the_first_in_line_goes_first_until_it_is_confirmed():
    outbox = Outbox(Receiver("r"))
    noted(outbox, transition(alarm_id="a.1"), transition(alarm_id="a.2"))
    first = outbox.due(NOON_NS)
    outbox.failed(NOON_NS)
    assert outbox.due(NOON_NS) is None
    assert outbox.due(NOON_NS + NS) == first
    outbox.confirmed(first)
    assert '"a.2"' in outbox.due(NOON_NS).body


def test_tries_come_at_longer_and_longer_times_a_minute_at_most():
    outbox, now_ns, waits = Outbox(Receiver("r")), NOON_NS, []
    noted(outbox, transition())
    for _ in range(9):
        outbox.failed(now_ns)
        waits.append((outbox.next_try_ns - now_ns) // NS)
        now_ns = outbox.next_try_ns
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_clock_that_is_set_back_does_not_stop_the_tries():
    outbox = Outbox(Receiver("r"))
    noted(outbox, transition())
    outbox.failed(NOON_NS)
    assert outbox.due(NOON_NS - 3600 * NS) is not None


@pytest.mark.parametrize(("after_ns", "is_late"), [(LATE_NS, False), (LATE_NS + 1, True)])
def test_a_message_says_when_it_is_late(after_ns, is_late):
    assert Message("1", NOON_NS, "{}").is_late(NOON_NS + after_ns) is is_late


def test_a_receiver_that_is_not_reached_for_a_minute_is_in_trouble():
    outbox = Outbox(Receiver("r"))
    noted(outbox, transition())
    assert not outbox.is_stuck(NOON_NS + 100 * NS)  # nothing was tried yet
    outbox.failed(NOON_NS)
    assert not outbox.is_stuck(NOON_NS + 60 * NS)
    assert outbox.is_stuck(NOON_NS + 61 * NS)
    outbox.confirmed(outbox.waiting[0])
    assert not outbox.is_stuck(NOON_NS + 61 * NS)


def test_what_is_too_much_is_given_up_oldest_first():
    outbox = Outbox(Receiver("r"))
    for i in range(MOST + 2):
        outbox.waiting.append(Message(f"{i:06d}", NOON_NS, "{}"))
    assert [m.id for m in outbox.overflow()] == ["000000", "000001"]
    assert outbox.overflow() == []


@given(st.permutations(range(6)))
def test_what_was_outstanding_comes_first_and_in_order(order):
    sent = Outbox(Receiver("r"))
    for i in range(6):
        sent.note("icu", "1", transition(alarm_id=f"a.{i}", at_s=i // 2))
    kept = [Message.from_json(m.to_json()) for m in sent.waiting]
    outbox = Outbox(Receiver("r"))
    noted(outbox, transition(alarm_id="new", at_s=99))
    outbox.resume(kept[i] for i in order)
    assert list(outbox.waiting)[:6] == kept
    assert '"new"' in outbox.waiting[6].body


def test_no_patient_is_named():
    outbox = Outbox(Receiver("r"))
    message = outbox.note("icu", "1", transition(), "Window")
    assert "patient" not in message.body
    assert "Window" in message.body
