"""Evidence of an alarm: the strip, the beats, the quality, the rule with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.words import Evidence
from ecg.clock import NS

BEFORE_S = 10
AFTER_S = 6


def gather(
    t_ns: int,
    rule: str,
    beats_ns: Sequence[int],
    quality: Sequence[int],
    hr_bpm: float | None,
) -> Evidence:
    """Evidence of a condition that began to hold at `t_ns`."""
    return Evidence(
        from_ns=t_ns - BEFORE_S * NS,
        to_ns=t_ns + AFTER_S * NS,
        rule=rule,
        beats_ns=tuple(beats_ns),
        quality=tuple(quality),
        hr_bpm=hr_bpm,
    )
