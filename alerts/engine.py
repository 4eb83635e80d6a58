"""The alarm engine: `step(state, event, now_ns) -> (state, transitions)`.

It is pure: clocks, networks and people are outside, and come in as events. What it promises, after
IEC 60601-1-8:2006+A1:2012 (tests/alerts/test_engine_properties.py holds it to that):

- no lethal condition goes by without an alarm that is shown until somebody has seen it (6.10);
- a signal that is lost does not end a lethal alarm: only a signal that shows the contrary does;
- acknowledging silences one condition, never the next one, even of the same kind (6.8);
- no alarm hides another (6.1.2): each kind and subject has its own, the most urgent stands first;
- each alarm goes through each phase at most once, and each change is told once (6.12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerts import rules
from alerts.board import Board, Condition
from alerts.rules import Limits
from alerts.state import Place, Signal, State, from_json, to_json
from alerts.watch import Analysed, watch
from alerts.words import Acknowledge, AlarmKind, Reset, Transition
from ecg.clock import NS

__all__ = [
    "Acknowledge",
    "Analysed",
    "Event",
    "FrameSeen",
    "Limits",
    "Place",
    "Reset",
    "Signal",
    "State",
    "Tick",
    "Trouble",
    "begin",
    "from_json",
    "step",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """A frame has come, by the wall clock."""

    received_ns: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source reports a technical condition, or that it is over.

    Attributes
    ----------
    kind : AlarmKind
        Not one that a rule decides.
    on : bool
    text : str
        One plain sentence.
    about : str
        The subject, when there may be several: the unknown device.
    """

    kind: AlarmKind
    on: bool
    text: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes; to be sent at least once a second."""


Event = Analysed | FrameSeen | Trouble | Tick | Acknowledge | Reset


def begin(place: Place, limits: Limits | None = None) -> State:
    """A bed without alarms. The silence of its device counts from the first `Tick`."""
    return State(place, limits or Limits())


def step(state: State, event: Event, now_ns: int) -> tuple[State, tuple[Transition, ...]]:
    """What an event changes.

    Parameters
    ----------
    state : State
    event : Event
    now_ns : int
        Wall clock.

    Returns
    -------
    state : State
    transitions : tuple of Transition
        In the order in which they happened.
    """
    board = Board(state.alarms, state.serial, now_ns)
    signal, leads, seen_ns = state.signal, state.leads, state.seen_ns
    match event:
        case Analysed():
            leads = event.leads or leads
            signal = watch(signal, event, state.limits, leads, board)
        case FrameSeen():
            seen_ns = event.received_ns if seen_ns is None else max(seen_ns, event.received_ns)
            board.over(AlarmKind.NO_DATA, event.received_ns)
        case Tick():
            # a wall clock that was set back must not make the device silent for that long
            seen_ns = now_ns if seen_ns is None else min(seen_ns, now_ns)
            if state.place.device:
                _judge_silence(board, seen_ns, now_ns, state.limits)
        case Trouble():
            if event.on:
                board.holds(Condition(event.kind, now_ns, event.text, event.about))
            else:
                board.over(event.kind, now_ns, event.about)
        case Acknowledge():
            board.acknowledge(event.alarm_id, event.by, _pressed_ns(event, now_ns))
        case Reset():
            board.reset(event.alarm_id, event.by, _pressed_ns(event, now_ns))
    if not board.transitions:
        return State(
            state.place, state.limits, leads, signal, seen_ns, state.alarms, state.serial
        ), ()
    after = replace(
        state,
        leads=leads,
        signal=signal,
        seen_ns=seen_ns,
        alarms=board.sorted(),
        serial=board.serial,
    )
    return after, tuple(board.transitions)


def _judge_silence(board: Board, seen_ns: int, now_ns: int, limits: Limits) -> None:
    if rules.no_data(now_ns, seen_ns, limits.no_data_s):
        text = (
            f"No data from the device for {limits.no_data_s:g} s: the patient is not watched."
            " Check its power and network."
        )
        began_ns = seen_ns + round(limits.no_data_s * NS)
        board.holds(Condition(AlarmKind.NO_DATA, began_ns, text))


def _pressed_ns(command: Acknowledge | Reset, now_ns: int) -> int:
    """When the button was pressed, if that is known and can be true."""
    return min(command.t_ns, now_ns) if command.t_ns > 0 else now_ns
