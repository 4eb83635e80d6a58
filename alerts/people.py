"""What the engine does when somebody commands (IEC 60601-1-8: 6.6 limits, 6.8 inactivation)."""

from __future__ import annotations

from alerts.board import Board
from alerts.state import Override, State
from alerts.words import (
    ALWAYS_ON,
    Acknowledge,
    AudioPause,
    Command,
    Off,
    PauseAudio,
    Reset,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
)
from ecg.clock import NS
from ecg.errors import BadInput


def obey(state: State, command: Command, board: Board, now_ns: int) -> State:
    """The state after a command; what it does to alarms goes to the board.

    Raises
    ------
    BadInput
        If it cannot be: limits that make no sense, a kind that nobody may switch off.
    """
    t_ns = pressed_ns(command, now_ns)
    match command:
        case Acknowledge():
            board.acknowledge(command.alarm_id, command.by, t_ns)
        case Reset():
            board.reset(command.alarm_id, command.by, t_ns)
        case PauseAudio():
            for_s = command.for_s or state.limits.audio_pause_s
            pause = AudioPause(now_ns, now_ns + round(for_s * NS), command.by)
            return state._replace(audio_pause=pause)
        case ResumeAudio():
            return state._replace(audio_pause=None)
        case SwitchOff():
            if command.kind in ALWAYS_ON:
                raise BadInput(f"{command.kind.label} alarms cannot be switched off")
            board.switch_off(command.kind, command.by, t_ns)
            off = [o for o in state.off if o.kind is not command.kind]
            return state._replace(off=(*off, Off(command.kind, t_ns, command.by)))
        case SwitchOn():
            return state._replace(off=tuple(o for o in state.off if o.kind is not command.kind))
        case SetLimits():
            limits = state.limits.changed(**dict(command.limits))
            kept = [o for o in state.overrides if o.name not in dict(command.limits)]
            new = [Override(name, v, command.by, t_ns) for name, v in command.limits]
            return state._replace(limits=limits, overrides=(*kept, *new))
    return state


def pause_at(pause: AudioPause, now_ns: int) -> AudioPause | None:
    """The pause as time passes: it ends by itself; a clock that is set back makes it no longer."""
    if now_ns >= pause.until_ns:
        return None
    if now_ns < pause.since_ns:
        return AudioPause(now_ns, now_ns + pause.until_ns - pause.since_ns, pause.by)
    return pause


def pressed_ns(command: Command, now_ns: int) -> int:
    """When the button was pressed, if that is known and can be true."""
    return min(command.t_ns, now_ns) if command.t_ns > 0 else now_ns
