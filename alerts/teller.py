"""What the rules on the signal share: how they tell what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerts.board import Board, Condition
from alerts.evidence import gather
from alerts.kinds import AlarmKind
from alerts.pulse import Pulses, speaks_against
from alerts.rules import Limits
from alerts.words import Evidence
from ecg.clock import NS
from ecg.codes import QualityCode

EVENT_NS = 10 * NS
"""What happens in a moment (a couplet) is shown for so long after it was last seen."""

_USABLE = int(QualityCode.USABLE)
_POOR = frozenset(int(code) for code in QualityCode if code is not QualityCode.USABLE)
# Fibrillation itself may pass for noise: only what is no signal at all speaks against it.
_ABSENT = frozenset(map(int, (QualityCode.SATURATED, QualityCode.FLAT, QualityCode.LEAD_OFF)))
_USELESS = {
    AlarmKind.VENTRICULAR_FIBRILLATION: _ABSENT,
    AlarmKind.ATRIAL_FIBRILLATION: _POOR,
    AlarmKind.SVT: _POOR,
}
# Beats that one lead alone shows, though others could, are rather noise of that lead.
_AGREEMENT = frozenset(
    {
        AlarmKind.VENTRICULAR_TACHYCARDIA,
        AlarmKind.EXTREME_TACHYCARDIA,
        AlarmKind.HEART_RATE_HIGH,
        AlarmKind.VENTRICULAR_RUN,
        AlarmKind.VENTRICULAR_RHYTHM,
        AlarmKind.SVT,
    }
)


class Teller:
    """Makes conditions with their evidence and with what speaks against them."""

    __slots__ = (
        "board",
        "class_of",
        "hr_bpm",
        "leads",
        "limits",
        "pulses",
        "quality",
        "through_ns",
        "until",
    )

    def __init__(
        self, board: Board, limits: Limits, leads: tuple[str, ...], pulses: Pulses
    ) -> None:
        self.board = board
        self.limits = limits
        self.leads = leads
        self.pulses = pulses
        self.quality: tuple[int, ...] = ()
        self.hr_bpm: float | None = None
        self.through_ns = 0
        self.until: dict[AlarmKind, int] = {}
        # letter of the class and lead of a beat, by its time
        self.class_of: Callable[[int], tuple[str, int]] = _unknown

    def tell(
        self,
        kind: AlarmKind,
        t_ns: int,
        text: str,
        rule: str,
        window_ns: Sequence[int],
        now_ns: int | None = None,
    ) -> None:
        """A condition holds since `t_ns`; `window_ns` are the beats that say so."""
        now = self.through_ns if now_ns is None else now_ns

        def evidence() -> Evidence:
            return gather(t_ns, rule, window_ns, self)

        def doubt() -> str | None:
            return (
                self._no_signal(kind)
                or self._disagreement(kind, window_ns)
                or speaks_against(kind, self.pulses, window_ns, now, self.limits)
            )

        self.board.holds(Condition(kind, t_ns, text, evidence=evidence, doubt=doubt))

    def event(
        self, kind: AlarmKind, t_ns: int, text: str, rule: str, window_ns: Sequence[int]
    ) -> None:
        """Something happened at `t_ns`; it is shown for `EVENT_NS` after it was last told."""
        if not self.goes_on(kind, t_ns):
            self.tell(kind, t_ns, text, rule, window_ns, t_ns)
            self.until[kind] = max(self.until.get(kind, 0), t_ns + EVENT_NS)

    def goes_on(self, kind: AlarmKind, t_ns: int) -> bool:
        """Whether the event is shown already: then it is for longer, and no words are needed."""
        if not self.board.is_held(kind):
            return False
        self.until[kind] = max(self.until.get(kind, 0), t_ns + EVENT_NS)
        return True

    def expire(self, now_ns: int) -> None:
        """Events that were shown for long enough, in the order of their ends."""
        if min(self.until.values(), default=now_ns + 1) > now_ns:  # most often
            return
        due = [(until_ns, kind) for kind, until_ns in self.until.items() if until_ns <= now_ns]
        for until_ns, kind in sorted(due):
            del self.until[kind]
            self.board.over(kind, until_ns)

    def _no_signal(self, kind: AlarmKind) -> str | None:
        """Rules on beats see beats in good signal only; those on waveforms are asked here."""
        useless = _USELESS.get(kind)
        if useless is None or not useless.issuperset(self.quality) or not self.quality:
            return None
        seen = sorted({QualityCode(code).label for code in self.quality})
        return f"The signal cannot show it ({', '.join(seen)})."

    def _disagreement(self, kind: AlarmKind, window_ns: Sequence[int]) -> str | None:
        if kind not in _AGREEMENT or self.quality.count(_USABLE) < 2:
            return None
        alone = [lead for t in window_ns if (lead := self.class_of(t)[1]) >= 0]
        if 2 * len(alone) <= len(window_ns):
            return None
        lead = max(set(alone), key=alone.count)
        name = self.leads[lead] if lead < len(self.leads) else str(lead + 1)
        return f"Only lead {name} shows these beats."


def _unknown(t_ns: int) -> tuple[str, int]:
    return "?", -1
