"""What the rules on the signal remember: immutable; times are the signal's own.

Named tuples: made anew for every frame, they cost a fifth of what frozen dataclasses do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from alerts.kinds import AlarmKind


class Rate(NamedTuple):
    """Of the times of QRS complexes.

    Attributes
    ----------
    beats_ns : tuple of int
        The last beats without a gap in the signal between them, as many as a rule needs.
    side : int
        Heart rate above (1), within (0) or below (-1) its limits.
    side_since_ns : int or None
        Since when; None when nobody could tell meanwhile.
    changes : int
        Bits, the last interval lowest: 1 when it differs from the one before.
    irregular_since_ns : int or None
    """

    beats_ns: tuple[int, ...] = ()
    side: int = 0
    side_since_ns: int | None = None
    changes: int = 0
    irregular_since_ns: int | None = None


class Classes(NamedTuple):
    """Of the classes of beats: times, letters (`alerts.rules.ventricular`) and leads."""

    beats_ns: tuple[int, ...] = ()
    letters: str = ""
    leads: tuple[int, ...] = ()


class Episodes(NamedTuple):
    """Of the analysis' episodes.

    Attributes
    ----------
    open : tuple of (ecg.codes.EpisodeKind, onset)
        Those that go on.
    beats_since_vf : int
        Beats in good signal since fibrillation was last seen.
    """

    open: tuple[tuple[int, int], ...] = ()
    beats_since_vf: int = 0


class Leads(NamedTuple):
    """Of leads that are off or cannot be analysed.

    Attributes
    ----------
    off_since_ns : tuple of (int or None), [n_leads]
    poor_since_ns : int or None
        Since when no lead can be analysed.
    """

    off_since_ns: tuple[int | None, ...] = ()
    poor_since_ns: int | None = None


class Signal(NamedTuple):
    """All of it.

    Attributes
    ----------
    through_ns : int
        All beats before it are known.
    second_ns : int or None
        Start of the last second whose quality is known.
    quality : tuple of int, [n_leads]
        `ecg.codes.QualityCode` in that second.
    last_qrs_ns : int
        The last QRS, also one that was found where no lead would show it.
    quiet_since_ns : int or None
        Last QRS, or since when one would have been seen; None while no lead would show one.
    paused_ns : int or None
        The `quiet_since_ns` whose pause was told.
    hr_bpm : float or None
        Last heart rate known.
    rate, classes, episodes, leads
    until : tuple of (kind, time)
        Until when events are shown.
    """

    through_ns: int = 0
    second_ns: int | None = None
    quality: tuple[int, ...] = ()
    last_qrs_ns: int = 0
    quiet_since_ns: int | None = None
    paused_ns: int | None = None
    hr_bpm: float | None = None
    rate: Rate = Rate()
    classes: Classes = Classes()
    episodes: Episodes = Episodes()
    leads: Leads = Leads()
    until: tuple[tuple[AlarmKind, int], ...] = ()


def signal_fields(signal: Signal) -> dict[str, Any]:
    """The signal as JSON takes it."""
    fields = signal._asdict()
    return {**fields, **{name: fields[name]._asdict() for name in _PARTS}}


def signal_from_fields(fields: dict[str, Any]) -> Signal:
    """What `signal_fields` wrote; TypeError, ValueError or AttributeError if it is none."""
    parts: dict[str, Any] = {name: _tuples(value) for name, value in fields.items()}
    for name, make in _PARTS.items():
        if name in parts:
            parts[name] = make(**{k: _tuples(v) for k, v in fields[name].items()})
    parts["until"] = tuple((AlarmKind(k), int(t)) for k, t in fields.get("until", ()))
    return Signal(**parts)


_PARTS: dict[str, type] = {"rate": Rate, "classes": Classes, "episodes": Episodes, "leads": Leads}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
