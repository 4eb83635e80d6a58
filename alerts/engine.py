"""The alarm engine: `step(state, event, now_ns) -> (state, transitions)`.

It is pure: clocks, networks and people are outside, and come in as events. What it promises, after
IEC 60601-1-8:2006+A1:2012 (tests/alerts/test_engine_properties.py holds it to that):

- no lethal condition goes by without an alarm that is shown until somebody has seen it (6.10), or,
  when something speaks against it, without a line in the log that says what;
- a signal that is lost does not end a lethal alarm: only a signal that shows the contrary does;
- acknowledging silences one condition, never the next one, even of the same kind (6.8);
- a pause of the sound ends by itself, and at once when a new alarm of high priority comes (6.8);
- no alarm hides another (6.1.2): each kind and subject has its own, the most urgent stands first;
- each alarm goes through each phase at most once, and each change is told once (6.12).
"""

from __future__ import annotations

from dataclasses import dataclass

from alerts import device, people, rules
from alerts.board import Board, Condition
from alerts.device import DeviceAlarm, Judge, Judged, Known
from alerts.pulse import Pulse
from alerts.rules import Limits
from alerts.signal import Signal
from alerts.state import Override, Place, State, from_json, to_json
from alerts.teller import Teller
from alerts.watch import Analysed, watch
from alerts.words import (
    Acknowledge,
    AlarmKind,
    Command,
    Off,
    Phase,
    Priority,
    Reset,
    Transition,
)
from ecg.clock import NS

__all__ = [
    "Acknowledge",
    "Analysed",
    "DeviceAlarm",
    "Event",
    "FrameSeen",
    "Judged",
    "Limits",
    "Override",
    "Place",
    "Pulse",
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


Event = Analysed | FrameSeen | Trouble | Tick | Pulse | DeviceAlarm | Judged | Command


def begin(place: Place, limits: Limits | None = None, off: tuple[Off, ...] = ()) -> State:
    """A bed without alarms. The silence of its device counts from the first `Tick`."""
    return State(place, limits or Limits(), off=off)


def step(
    state: State, event: Event, now_ns: int, judge: Judge = device.judge
) -> tuple[State, tuple[Transition, ...]]:
    """What an event changes.

    Parameters
    ----------
    state : State
    event : Event
    now_ns : int
        Wall clock.
    judge : Judge
        Gives the verdict on alarms of devices.

    Returns
    -------
    state : State
    transitions : tuple of Transition
        In the order in which they happened.

    Raises
    ------
    BadInput
        If somebody commands what cannot be; nothing has changed then.
    """
    off = frozenset([o.kind for o in state.off]) if state.off else ()
    board = Board(state.alarms, state.serial, now_ns, off, state.suppressed)
    match event:
        case Analysed():
            leads = event.leads or state.leads
            teller = Teller(board, state.limits, leads, state.pulses)
            signal = watch(state.signal, event, teller)
            after = State(state.place, state.limits, leads, signal, *state[4:])
        case FrameSeen():
            seen_ns = event.received_ns
            after = _seen(state, seen_ns if state.seen_ns is None else max(state.seen_ns, seen_ns))
            board.over(AlarmKind.NO_DATA, event.received_ns)
        case Tick():
            after = _tick(state, board, now_ns, judge)
        case Trouble():
            after = state
            if event.on:
                board.holds(Condition(event.kind, now_ns, event.text, event.about))
            else:
                board.over(event.kind, now_ns, event.about)
        case Pulse():
            after = state._replace(pulses=state.pulses.taken(event))
        case DeviceAlarm():
            claims = device.take(state.claims, event, board, now_ns)
            after = state._replace(claims=claims)
        case Judged():
            after = state._replace(claims=device.conclude(state.claims, event, board, now_ns))
        case _:
            after = people.obey(state, event, board, now_ns)
    suppressed = board.suppressed()
    if not board.transitions and suppressed == state.suppressed:
        return after, ()
    if after.audio_pause is not None and any(_breaks_pause(t) for t in board.transitions):
        after = after._replace(audio_pause=None)
    after = after._replace(alarms=board.sorted(), serial=board.serial, suppressed=suppressed)
    return after, tuple(board.transitions)


def _tick(state: State, board: Board, now_ns: int, judge: Judge) -> State:
    # a wall clock that was set back must not make the device silent for that long
    seen_ns = now_ns if state.seen_ns is None else min(state.seen_ns, now_ns)
    if state.place.device:
        _judge_silence(board, seen_ns, now_ns, state.limits)
    if state.claims:
        known = Known(state.signal, state.pulses, state.alarms, state.limits)
        claims = device.settle(state.claims, known, judge, board, now_ns)
        state = state._replace(claims=claims)
    if state.alarms:
        board.escalate(state.limits.escalate_s)
        if any(alarm.raised_ns > now_ns for alarm in state.alarms):
            state = state._replace(alarms=board.sorted())
    if state.audio_pause is not None:
        state = state._replace(audio_pause=people.pause_at(state.audio_pause, now_ns))
    return _seen(state, seen_ns)


def _seen(state: State, seen_ns: int) -> State:
    return state if seen_ns == state.seen_ns else state._replace(seen_ns=seen_ns)


def _breaks_pause(transition: Transition) -> bool:
    """A pause is for the alarms that somebody has heard, not for a new one that may kill."""
    return transition.phase is Phase.RAISED and transition.priority is Priority.HIGH


def _judge_silence(board: Board, seen_ns: int, now_ns: int, limits: Limits) -> None:
    if rules.no_data(now_ns, seen_ns, limits.no_data_s):
        text = (
            f"No data from the device for {limits.no_data_s:g} s: the patient is not watched."
            " Check its power and network."
        )
        began_ns = seen_ns + round(limits.no_data_s * NS)
        board.holds(Condition(AlarmKind.NO_DATA, began_ns, text))
