"""Evidence of an alarm: the strip, the beats, the quality, the rule with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alerts.words import Evidence
from ecg.clock import NS

if TYPE_CHECKING:
    from alerts.teller import Teller

BEFORE_S = 10
AFTER_S = 6
_AAMI = {"V": "V", "S": "S", "n": "N"}


def gather(t_ns: int, rule: str, beats_ns: Sequence[int], known: Teller) -> Evidence:
    """Evidence of a condition that began to hold at `t_ns`, from what is known now."""
    from_ns, to_ns = t_ns - BEFORE_S * NS, t_ns + AFTER_S * NS
    letters = (known.class_of(t)[0] for t in beats_ns)
    return Evidence(
        from_ns=from_ns,
        to_ns=to_ns,
        rule=rule,
        beats_ns=tuple(beats_ns),
        quality=tuple(known.quality),
        hr_bpm=known.hr_bpm,
        classes="".join(_AAMI.get(letter, "Q") for letter in letters),
        pulses_ns=tuple(known.pulses.between(from_ns, to_ns)),
    )
