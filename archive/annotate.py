"""Findings as WFDB annotations: what other ECG software reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg import Annotations, Findings
from ecg.codes import EpisodeKind, QualityCode

# Seconds in which nothing can be told. In a noisy one beats are still found, a flat one may be
# asystole: neither is a shutdown.
_UNREADABLE = (QualityCode.BASELINE_JUMP, QualityCode.SATURATED, QualityCode.LEAD_OFF)

# Told beside noise: an alarm goes with them. Other rhythms are not, while no lead can be read.
_DESPITE_NOISE = (EpisodeKind.VF, EpisodeKind.VT, EpisodeKind.ASYSTOLE)

# Within another rhythm these are events, not rhythms of their own.
_EVENTS = (EpisodeKind.COUPLET, EpisodeKind.PAUSE)

_SHUTDOWN = 0x30  # WFDB: subtype of a NOISE mark, both signals unreadable
_RESUME = 0

_NEVER = 1 << 62

Mark = tuple[int, str, str, int]  # sample, symbol, aux, subtype


def annotate(findings: Findings, n_leads: int, fs_hz: float) -> Annotations:
    """Beats, rhythm changes and shutdowns of a whole record, in order of time.

    Parameters
    ----------
    findings : Findings
    n_leads : int
    fs_hz : float

    Returns
    -------
    Annotations
        A beat has its WFDB code; in ventricular fibrillation, from `[` to `]`, there are none. `+`
        says which rhythm begins; where the last one ends without
        another, that is `(N`. `~` says that no lead can be read, or that one can again.
    """
    episodes = settled(findings.episodes)
    lethal = _fibrillation(episodes)
    at, keep = findings.beats["sample"], np.ones(findings.beats.size, bool)
    for first, end in lethal:
        keep &= (at < first) | (at >= end)
    found = zip(at[keep].tolist(), findings.beats["code"][keep].tolist(), strict=True)
    beats = [(sample, chr(code), "", 0) for sample, code in found]
    brackets = [
        (at, mark, "", 0)
        for first, end in lethal
        for at, mark in ((first, "["), (end, "]"))
        if at < _NEVER
    ]
    marks = sorted([*beats, *brackets, *_rhythms(episodes), *_shutdowns(findings, n_leads, fs_hz)])
    return Annotations(
        sample=np.array([m[0] for m in marks], np.int64),
        symbol=tuple(m[1] for m in marks),
        aux=tuple(m[2] for m in marks),
        subtype=tuple(m[3] for m in marks),
    )


def settled(episodes: NDArray[Any]) -> NDArray[Any]:
    """Each episode once: as it ended, or open when it did not."""
    last = {(int(e["kind"]), int(e["onset"])): i for i, e in enumerate(episodes)}
    rows = sorted(last.values(), key=lambda i: int(episodes["onset"][i]))
    return episodes[rows]


def _fibrillation(episodes: NDArray[Any]) -> list[tuple[int, int]]:
    """Onset and end of each episode of ventricular fibrillation; one that lasts ends never."""
    rows = episodes[episodes["kind"] == EpisodeKind.VF]
    ends = np.where(rows["end"] >= 0, rows["end"], _NEVER)
    return list(zip(rows["onset"].tolist(), ends.tolist(), strict=True))


def _rhythms(episodes: NDArray[Any]) -> list[Mark]:
    """A mark at each change of the rhythm that began last of those that last."""
    episodes = episodes[~np.isin(episodes["kind"], _EVENTS)]
    ends = [int(e["end"]) if e["end"] >= 0 else _NEVER for e in episodes]
    spans = list(zip(episodes["onset"].tolist(), ends, episodes["kind"].tolist(), strict=True))
    changes = sorted({at for onset, end, _ in spans for at in (onset, end) if at < _NEVER})
    marks: list[Mark] = []
    for at in changes:
        open_now = [(onset, kind) for onset, end, kind in spans if onset <= at < end]
        if any(kind == EpisodeKind.NOISE for _, kind in open_now):
            wanted = (EpisodeKind.NOISE, *_DESPITE_NOISE)
            open_now = [(onset, kind) for onset, kind in open_now if kind in wanted]
        text = EpisodeKind(max(open_now)[1]).wfdb if open_now else EpisodeKind.SINUS.wfdb
        if not marks or marks[-1][2] != text:
            marks.append((at, "+", text, 0))
    return marks


def _shutdowns(findings: Findings, n_leads: int, fs_hz: float) -> list[Mark]:
    """Marks around the seconds in which no lead is readable."""
    quality = findings.quality
    lost = quality[np.isin(quality["code"], _UNREADABLE)]
    seconds, leads = np.unique(lost["sample"], return_counts=True)
    marks: list[Mark] = []
    end = -1
    for begin in seconds[leads == n_leads].tolist():
        # seconds at a rate that is no whole number begin a sample early or late
        if begin > end + 1:
            if marks:
                marks.append((end, "~", "", _RESUME))
            marks.append((begin, "~", "", _SHUTDOWN))
        end = begin + round(fs_hz)
    if marks:
        marks.append((end, "~", "", _RESUME))
    return marks
