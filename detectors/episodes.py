"""Episodes while they last: one small record each, written as a row when they open and end."""

from __future__ import annotations

import numpy as np
from numba import njit

from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ

SPELL = np.dtype(
    [
        ("open", "u1"),
        ("kind", "u1"),  # ecg.codes.EpisodeKind
        ("onset", "f8"),  # analysis samples
        ("end", "f8"),
        ("confidence", "f4"),
        ("evidence", "f4", (4,)),
    ],
    align=True,
)


@njit(**KERNEL)
def at(head, n):  # type: ignore[no-untyped-def]
    """Sample at the device's own rate, and its time in ns, of an analysis sample."""
    sample = max(round(n * head.fs_hz / ANALYSIS_HZ), 0)
    # start is added as an integer: a float of nanoseconds since 1970 is not exact
    return sample, head.start_ns + round(sample * 1e9 / head.fs_hz)


@njit(**KERNEL)
def write(head, spell, rows, n_rows):  # type: ignore[no-untyped-def]
    """Write a spell as it stands, open or ended; gives the new count of rows.

    A full table keeps what it holds: `analyzer.tables` gives room for all that rules can find.
    """
    if n_rows >= rows.size:
        return n_rows
    row = rows[n_rows]
    row.kind = spell.kind
    row.onset, row.onset_ns = at(head, spell.onset)
    row.end, row.end_ns = -1, -1
    if spell.open == 0:
        row.end, row.end_ns = at(head, spell.end)
    row.confidence = spell.confidence
    for i in range(4):
        row.evidence[i] = spell.evidence[i]
    return n_rows + 1


@njit(**KERNEL)
def start(spell, onset, confidence):  # type: ignore[no-untyped-def]
    """Open a spell."""
    spell.open = 1
    spell.onset = onset
    spell.confidence = confidence


@njit(**KERNEL)
def stop(spell, end):  # type: ignore[no-untyped-def]
    """End a spell; not ahead of its onset."""
    spell.open = 0
    spell.end = max(end, spell.onset)


@njit(**KERNEL)
def open_kind(head, kind, onset, confidence):  # type: ignore[no-untyped-def]
    """Open the episode of a kind; the caller sets its evidence and writes it."""
    spell = head.rhythm.patterns.spells[kind]
    spell.kind = kind
    start(spell, max(onset, spell.end), confidence)
    spell.evidence[:] = 0.0
    return spell


@njit(**KERNEL)
def end_kind(head, kind, end, rows, n_rows):  # type: ignore[no-untyped-def]
    """End the episode of a kind, if one is open."""
    spell = head.rhythm.patterns.spells[kind]
    if spell.open == 0:
        return n_rows
    stop(spell, end)
    return write(head, spell, rows, n_rows)
