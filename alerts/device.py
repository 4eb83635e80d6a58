"""Alarms that a device raises itself: told or not, and what the signal says of them.

A claim is looked at for 10 s. A lethal one is told at once, whatever comes of it; any other waits
until the verdict. `judge` is the verdict by what this engine has seen; any function of its shape
may take its place (`telerhythm.desk`), one that looks at the waveforms themselves, say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from alerts.board import Board, Condition
from alerts.kinds import LETHAL, AlarmKind, Priority
from alerts.pulse import Pulses
from alerts.rules import Limits, rate_bpm
from alerts.signal import Signal
from alerts.words import Alarm
from ecg.clock import NS
from ecg.codes import QualityCode

ABOUT = "device"
"""Subject of alarms that come from the device: they stand beside the engine's own."""
VERDICT_NS = 10 * NS
HOLD_NS = 60 * NS
"""A claim that is neither repeated nor taken back is taken for over."""
MAX_CLAIMS = 20

Outcome = Literal["true", "false", "undecided"]

_SAME_AS = {
    # what devices say -> what this engine calls it; Challenge 2015 has the first five
    "asystole": AlarmKind.ASYSTOLE,
    "bradycardia": AlarmKind.EXTREME_BRADYCARDIA,
    "tachycardia": AlarmKind.EXTREME_TACHYCARDIA,
    "ventricular_flutter_fib": AlarmKind.VENTRICULAR_FIBRILLATION,
    "ventricular_tachycardia": AlarmKind.VENTRICULAR_TACHYCARDIA,
    "vfib": AlarmKind.VENTRICULAR_FIBRILLATION,
    "vf": AlarmKind.VENTRICULAR_FIBRILLATION,
    "vtach": AlarmKind.VENTRICULAR_TACHYCARDIA,
    "vt": AlarmKind.VENTRICULAR_TACHYCARDIA,
    "afib": AlarmKind.ATRIAL_FIBRILLATION,
}
_USABLE, _OFF = int(QualityCode.USABLE), int(QualityCode.LEAD_OFF)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was made of a device's alarm.

    Attributes
    ----------
    outcome : {"true", "false", "undecided"}
    reason : str
        One plain sentence.
    """

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to judge a claim by."""

    signal: Signal
    pulses: Pulses
    alarms: tuple[Alarm, ...]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Claim:
    """An alarm of a device.

    Attributes
    ----------
    name : str
        What the device calls it.
    kind : AlarmKind
        What it is; `DEVICE_ALARM` when this engine knows none like it.
    t_ns : int
        When it began, by the device's clock.
    heard_ns : int
        When it last came, by the wall clock.
    first_ns : int
        When it first came.
    text : str
        What the device says of it.
    priority : Priority or None
        As the device has it; not used for kinds that this engine knows.
    verdict : {"true", "false", "undecided"} or None
        None: not yet.
    """

    name: str
    kind: AlarmKind
    t_ns: int
    heard_ns: int
    first_ns: int
    text: str = ""
    priority: Priority | None = None
    verdict: Outcome | None = None

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Claim:
        """What `dataclasses.asdict` made of it."""
        priority = fields["priority"]
        return cls(
            str(fields["name"]),
            AlarmKind(fields["kind"]),
            int(fields["t_ns"]),
            int(fields["heard_ns"]),
            int(fields["first_ns"]),
            str(fields["text"]),
            None if priority is None else Priority(priority),
            fields["verdict"],
        )

    @property
    def about(self) -> str:
        """Subject of its alarm."""
        return ABOUT if self.kind is not AlarmKind.DEVICE_ALARM else f"{ABOUT}: {self.name}"

    @property
    def is_lethal(self) -> bool:
        """Must not wait for the verdict."""
        return self.kind in LETHAL


@dataclass(frozen=True, slots=True)
class DeviceAlarm:
    """A device raises an alarm, repeats it, or takes it back; an event of the engine."""

    name: str
    t_ns: int
    on: bool = True
    text: str = ""
    priority: Priority | None = None


Judge = Callable[[Claim, Known], Verdict]


def kind_of(name: str) -> AlarmKind:
    """What this engine calls an alarm of a device."""
    word = name.strip().lower().replace(" ", "_").replace("-", "_")
    if word in _SAME_AS:
        return _SAME_AS[word]
    try:
        kind = AlarmKind(word)
    except ValueError:
        return AlarmKind.DEVICE_ALARM
    # what is wrong with the equipment, the device knows best: nothing to verify
    return AlarmKind.DEVICE_ALARM if kind.is_technical else kind


def take(
    claims: tuple[Claim, ...], event: DeviceAlarm, board: Board, now_ns: int
) -> tuple[Claim, ...]:
    """A message of the device."""
    kind = kind_of(event.name)
    fresh = Claim(event.name, kind, event.t_ns, now_ns, now_ns, event.text, event.priority)
    others = tuple(c for c in claims if (c.kind, c.about) != (kind, fresh.about))
    known = next((c for c in claims if (c.kind, c.about) == (kind, fresh.about)), None)
    if not event.on:
        board.over(kind, now_ns, fresh.about)
        return others
    if known is not None:
        return (*others, replace(known, heard_ns=now_ns))
    if fresh.is_lethal:
        _raise(fresh, board, "not checked yet")
    return (*others, fresh)[-MAX_CLAIMS:]


def settle(
    claims: tuple[Claim, ...], known: Known, judge: Judge, board: Board, now_ns: int
) -> tuple[Claim, ...]:
    """Look at what waits for a verdict, and end what is heard of no more."""
    if not claims:
        return claims
    left = []
    for claim in claims:
        if not 0 <= now_ns - claim.heard_ns < HOLD_NS:  # also after a clock step: it is repeated
            board.over(claim.kind, now_ns, claim.about)
            continue
        if claim.verdict is None:
            claim = _judge(claim, judge(claim, known), board, now_ns)
        left.append(claim)
    return tuple(left)


def _judge(claim: Claim, verdict: Verdict, board: Board, now_ns: int) -> Claim:
    if verdict.outcome == "undecided" and now_ns - claim.first_ns < VERDICT_NS:
        return claim
    said = f"{_sentence(claim)} Checked, {verdict.outcome}: {verdict.reason}"
    if verdict.outcome == "false":
        if claim.is_lethal:
            board.withdraw(claim.kind, claim.about, said)
        else:
            board.holds(_condition(claim, doubt=f"checked, false: {verdict.reason}"))
    else:
        if not claim.is_lethal:
            _raise(claim, board, "")
        board.verified(claim.kind, claim.about, said)
    return replace(claim, verdict=verdict.outcome)


def _raise(claim: Claim, board: Board, note: str) -> None:
    board.holds(_condition(claim, note))


def _condition(claim: Claim, note: str = "", doubt: str | None = None) -> Condition:
    text = _sentence(claim)
    return Condition(
        claim.kind,
        claim.t_ns,
        f"{text} ({note})" if note else text,
        claim.about,
        claim.priority if claim.kind is AlarmKind.DEVICE_ALARM else None,
        doubt=(lambda: doubt) if doubt else None,
    )


def _sentence(claim: Claim) -> str:
    what = claim.kind.label if claim.kind is not AlarmKind.DEVICE_ALARM else claim.name
    return f"The device says: {claim.text or what}."


# -- the verdict of this engine's own rules ------------------------------------------------------


def judge(claim: Claim, known: Known) -> Verdict:
    """What the findings of the engine say of a claim.

    True when the engine's own rules say the same; false when beats in good signal contradict it;
    else undecided, for the rest of the 10 s.
    """
    same = next((a for a in known.alarms if a.kind is claim.kind and a.about != claim.about), None)
    if same is not None and abs(same.since_ns - claim.t_ns) < 3 * VERDICT_NS:
        return Verdict("true", same.text)
    if known.signal.through_ns < claim.t_ns:
        return Verdict("undecided", "the signal of that time has not come yet.")
    if _USABLE not in known.signal.quality:
        return Verdict("undecided", "no lead can be analysed.")
    contrary = _contrary(claim, known)
    if contrary:
        return Verdict("false", contrary)
    return Verdict("undecided", "the signal neither shows nor excludes it.")


def _contrary(claim: Claim, known: Known) -> str | None:
    """What beats in good signal up to the claim say against it."""
    limits, kind = known.limits, claim.kind
    beats = [t for t in known.signal.rate.beats_ns if t <= claim.t_ns]
    since_ns = claim.t_ns - 10 * NS
    recent = [t for t in beats if t >= since_ns]
    if kind is AlarmKind.ASYSTOLE and len(recent) >= 3:
        gaps = [b - a for a, b in zip(recent, [*recent[1:], claim.t_ns], strict=True)]
        if recent[0] - since_ns < limits.asystole_s * NS and max(gaps) < 2 * NS:
            return f"{len(recent)} beats in the 10 s before, none more than 2 s apart."
    if kind is AlarmKind.EXTREME_BRADYCARDIA and len(beats) >= limits.bradycardia_beats:
        bpm = rate_bpm(beats[-limits.bradycardia_beats :])
        if bpm > 1.25 * limits.bradycardia_bpm and len(recent) >= limits.bradycardia_beats:
            return f"the heart rate is {bpm:.0f}/min."
    if kind is AlarmKind.EXTREME_TACHYCARDIA and len(beats) >= limits.tachycardia_beats:
        bpm = rate_bpm(beats[-limits.tachycardia_beats :])
        if bpm < 0.8 * limits.tachycardia_bpm and claim.t_ns - beats[-1] < 2 * NS:
            return f"the heart rate is {bpm:.0f}/min."
    if kind is AlarmKind.VENTRICULAR_TACHYCARDIA:
        classes = known.signal.classes
        pairs = zip(classes.beats_ns, classes.letters, strict=True)
        letters = "".join(c for t, c in pairs if since_ns <= t <= claim.t_ns)
        if len(letters) >= 6 and set(letters) <= set("nS"):
            return f"none of the {len(letters)} beats in the 10 s before is ventricular."
    return None
