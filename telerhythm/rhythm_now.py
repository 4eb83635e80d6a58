"""Which rhythm goes on: what a tile shows, from the episodes that open and end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecg import Findings
from ecg.codes import EpisodeKind, QualityCode

_LETHAL = (EpisodeKind.VF, EpisodeKind.ASYSTOLE)
URGENT_FIRST = (
    *_LETHAL,
    EpisodeKind.VT,
    EpisodeKind.AV_BLOCK_3,
    EpisodeKind.PAUSE,
    EpisodeKind.RUN,
    EpisodeKind.IDIOVENTRICULAR,
    EpisodeKind.AV_BLOCK_2,
    EpisodeKind.SVT,
    EpisodeKind.AF,
    EpisodeKind.FLUTTER,
    EpisodeKind.PREEXCITATION,
    EpisodeKind.PACED,
    EpisodeKind.NODAL,
    EpisodeKind.SINUS_TACHYCARDIA,
    EpisodeKind.SINUS_BRADYCARDIA,
    EpisodeKind.BIGEMINY,
    EpisodeKind.TRIGEMINY,
    EpisodeKind.COUPLET,
    EpisodeKind.SINUS,
)
"""Rhythms in the order in which they are told; noise is told by the quality of the leads."""
_RANK = {int(kind): rank for rank, kind in enumerate(URGENT_FIRST)}
_USABLE = int(QualityCode.USABLE)


class RhythmNow:
    """Episodes of one stream that are open."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._has_learned = False
        self._is_judged = False  # whether there is AF can be said

    def take(self, findings: Findings) -> None:
        """What a piece of signal has shown, in the order in which it became final."""
        episodes = findings.episodes
        for kind, end in zip(episodes["kind"].tolist(), episodes["end"].tolist(), strict=True):
            if end >= 0:
                self._open.discard(kind)
            elif kind in _RANK:
                self._open.add(kind)
        # the detector gives no rate until it knows what a beat of this heart looks like
        if not self._is_judged and len(findings.vitals):
            self._has_learned |= bool(np.isfinite(findings.vitals["hr_bpm"]).any())
            self._is_judged = bool(np.isfinite(findings.vitals["af_burden"]).any())

    def told(self, quality: Sequence[int]) -> tuple[str, ...] | None:
        """WFDB texts, the most urgent first; None when nothing can be said.

        A lethal rhythm stands alone, whatever went on when it began. It is told without a usable
        lead, too, since lost signal does not end it; nothing else is then.

        Parameters
        ----------
        quality : sequence of int, [n_leads]
            `QualityCode` of each ECG lead.
        """
        found = self._open & {int(kind) for kind in _LETHAL}
        if not found:
            if _USABLE not in quality or not self._has_learned:
                return None
            found = self._open
        if not found and not self._is_judged:
            return None  # to say that there is none, takes longer than to find one
        return tuple(EpisodeKind(kind).wfdb for kind in sorted(found, key=_RANK.__getitem__))
