"""Rhythms told of windows of ten seconds: atrial flutter, third-degree AV block."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import dissociation, flutter, window
from detectors.episodes import end_kind, open_kind, write
from dsp.memory import WITH_ARRAYS
from dsp.resample import ANALYSIS_HZ
from ecg.codes import EpisodeKind

LENGTH = window.SECONDS * int(ANALYSIS_HZ)  # analysis samples
EVERY = LENGTH // 2  # analysis samples: how often third-degree block is sought
SAME_BPM = 3.0  # P waves of two windows in a row: then third-degree block begins
LASTS = 2  # windows without evidence until an episode is over: a ratio may be fixed for a while

_FLUTTER, _COMPLETE = int(EpisodeKind.FLUTTER), int(EpisodeKind.AV_BLOCK_3)
_PACED = int(EpisodeKind.PACED)
_ENDS_WITH_FLUTTER = (
    int(EpisodeKind.AF),
    int(EpisodeKind.SINUS_BRADYCARDIA),
    int(EpisodeKind.SINUS_TACHYCARDIA),
    int(EpisodeKind.AV_BLOCK_2),
)
_ENDS_WITH_BLOCK = (
    int(EpisodeKind.SINUS_BRADYCARDIA),
    int(EpisodeKind.AV_BLOCK_2),
    int(EpisodeKind.IDIOVENTRICULAR),
)

WINDOWED = np.dtype(
    [
        ("found", window.FOUND),
        ("flutter_at", "i8"),  # end of the last window that showed it, analysis samples
        ("block_at", "i8"),
        ("p_bpm", "f8"),  # rate of P waves that it had
    ],
    align=True,
)


@njit(**WITH_ARRAYS)
def _flutter(head, x, r, n_beats, rows, n_rows):  # type: ignore[no-untyped-def]
    """Atrial flutter; what it interrupts ends where it begins."""
    state, spells = head.rhythm.windowed, head.rhythm.patterns.spells
    spell = spells[_FLUTTER]
    score, hz = flutter.judge(x, r, n_beats, np.empty(x.shape[0], np.float32))
    if spell.open and score > flutter.ENDS:
        state.flutter_at = head.n
        spell.confidence = max(spell.confidence, flutter.confidence(score))
    elif spell.open and head.n - state.flutter_at >= LASTS * LENGTH:
        n_rows = end_kind(head, _FLUTTER, np.float64(state.flutter_at), rows, n_rows)
    elif spell.open == 0 and score > flutter.BEGINS:
        state.flutter_at = head.n
        spell = open_kind(head, _FLUTTER, np.float64(head.n - LENGTH), flutter.confidence(score))
        spell.evidence[0], spell.evidence[1] = score, 60.0 * hz
        n_rows = write(head, spell, rows, n_rows)
        for kind in _ENDS_WITH_FLUTTER:
            n_rows = end_kind(head, kind, spell.onset, rows, n_rows)
    return n_rows


@njit(**WITH_ARRAYS)
def _dissociation(head, leads, x, r, n_beats, rows, n_rows):  # type: ignore[no-untyped-def]
    """Third-degree AV block; what it explains ends where it begins."""
    rhythm = head.rhythm
    state, spell = rhythm.windowed, rhythm.patterns.spells[_COMPLETE]
    height, p_bpm = np.float32(0.0), 0.0
    if dissociation.is_candidate(r, n_beats):
        window.samples(leads, x)
        height, p_bpm = dissociation.judge(x, r, n_beats)
    if spell.open and height > dissociation.ENDS:
        state.block_at = head.n
        spell.confidence = max(spell.confidence, dissociation.confidence(height))
    elif spell.open and head.n - state.block_at >= LASTS * LENGTH:
        n_rows = end_kind(head, _COMPLETE, np.float64(state.block_at), rows, n_rows)
    elif spell.open == 0 and height > dissociation.BEGINS:
        same = abs(p_bpm - state.p_bpm) < SAME_BPM and head.n - state.block_at == EVERY
        state.block_at, state.p_bpm = head.n, p_bpm
        if not same:
            return n_rows
        sure = dissociation.confidence(height)
        spell = open_kind(head, _COMPLETE, np.float64(head.n - LENGTH - EVERY), sure)
        spell.evidence[0], spell.evidence[1] = height, p_bpm
        spell.evidence[2] = 3000.0 / window.spread(r, n_beats)[0]
        n_rows = write(head, spell, rows, n_rows)
        for kind in _ENDS_WITH_BLOCK:
            n_rows = end_kind(head, kind, spell.onset, rows, n_rows)
    return n_rows


@njit(**WITH_ARRAYS)
def end_second(head, leads, rows, n_rows):  # type: ignore[no-untyped-def]
    """Look at the last ten seconds: each five for third-degree block, each ten for flutter."""
    rhythm = head.rhythm
    spells = rhythm.patterns.spells
    if head.n % EVERY or rhythm.vf.spell.open or spells[_PACED].open:
        return n_rows
    r, x = np.empty(window.BEATS, np.int64), np.empty((leads.size, window.SIZE), np.float32)
    n_beats = window.beats(rhythm.windowed.found, head.n, r)
    if n_beats < dissociation.LEAST_BEATS:
        return n_rows
    is_uneven = window.spread(r, n_beats)[1] >= flutter.VARIES
    if head.n % LENGTH == 0 and (is_uneven or spells[_FLUTTER].open):
        window.samples(leads, x)
        n_rows = _flutter(head, x, r, n_beats, rows, n_rows)
    return _dissociation(head, leads, x, r, n_beats, rows, n_rows)
