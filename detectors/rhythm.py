"""Rhythms of a patient, as episodes: out of the beats, their classes, and the waveform.

Three entries: `found` when a beat has been found, `known` when its class is, `end_second` each
second. A beat may be known when the next one has been found already, but not the one after.
Episodes are written when they open and once more when they end; docs/arrhythmia.md says how each is
decided.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import af as atrial
from detectors import conduction, fibrillation, patterns, pwave, tally, window, windowed
from detectors.episodes import end_kind, open_kind, write
from dsp.features import median
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ
from ecg.codes import BeatFlag, EpisodeKind, QualityCode

SECOND = int(ANALYSIS_HZ)
RR_KEPT = 8
SLOW_S, NOT_SLOW_S = np.float32(1.2), np.float32(1.15)  # below 50/min (2018 ACC/AHA guideline)
FAST_S, NOT_FAST_S = np.float32(0.6), np.float32(0.63)  # above 100/min
PAUSE_S = np.float32(2.5)
CALM_MV = np.float32(0.3)  # a second of asystole spans no more, P waves with it
CALM_S = 3  # the first second may hold the end of the last beat
ASYSTOLE_S = 4  # PhysioNet/CinC Challenge 2015
PULSE_RATE = np.float32(1.0 / 12.0)
PULSES = np.float32(0.35)  # share of beats with a pulse above which there is a pacemaker
ORGANISED_S = 4
ORGANISED_BEATS = 3  # ventricular in a row: the alarm of tachycardia is under way
EVEN_BEATS, EVEN = 6, 1.12  # intervals, longest over shortest: flutter of patients varies more
FASTEST_S = 0.25  # 240/min: faster is flutter, however even
FOUND_S = 0.6  # by then a beat is found
NOISE_S, CLEAR_S = 5, 2  # seconds in a row: then noise begins, ends
PACED_BEATS, FREE_BEATS = 3, 2  # in a row: then a paced rhythm begins, ends

_AF, _BRADY = int(EpisodeKind.AF), int(EpisodeKind.SINUS_BRADYCARDIA)
_TACHY, _PACED = int(EpisodeKind.SINUS_TACHYCARDIA), int(EpisodeKind.PACED)
_PAUSE, _ASYSTOLE = int(EpisodeKind.PAUSE), int(EpisodeKind.ASYSTOLE)
_FLUTTER, _NOISE = int(EpisodeKind.FLUTTER), int(EpisodeKind.NOISE)
_BLOCK, _COMPLETE = int(EpisodeKind.AV_BLOCK_2), int(EpisodeKind.AV_BLOCK_3)
_NOT_AF = (_PACED, _FLUTTER, _BLOCK, _COMPLETE)
_NOT_SINUS = (_AF, _PACED, _FLUTTER, _BLOCK, _COMPLETE)
_FLAG_PACED, _FLAG_POOR = int(BeatFlag.PACED), int(BeatFlag.POOR_SIGNAL)
_N, _V, _S, _F = ord("N"), ord("V"), ord("S"), ord("F")
_USABLE, _FLAT = int(QualityCode.USABLE), int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)

RHYTHM = np.dtype(
    [
        ("patterns", patterns.PATTERNS),
        ("af", atrial.AF),
        ("nn_at", "f8", (atrial.WINDOW,)),  # where each interval of `af` ends
        ("in_af", "u1"),  # by its score, whether paced beats interrupt it or not
        ("was_free", "u1"),  # a stretch without AF has been seen
        ("vf", fibrillation.VF),
        ("windowed", windowed.WINDOWED),
        ("conduction", conduction.CONDUCTION),
        ("tally", tally.TALLY),
        ("pulse_share", "f4"),
        ("paced", "i4"),  # beats in a row
        ("free", "i4"),
        ("run_at", "f8"),  # first beat of that row
        ("last_at", "f8"),  # of the last known beat
        ("last_plain", "u1"),  # it was neither ventricular nor paced
        ("rr", "f4", (RR_KEPT,)),
        ("n_rr", "i8"),
        ("calm_s", "i4"),  # seconds in a row in which a clear lead hardly moved
        ("clear_s", "i4"),  # seconds in a row in which a lead would have shown a beat
        ("unclear_s", "i4"),  # and in which none would have
        ("organised_at", "i8"),  # end of the last second with an even ventricular tachycardia
    ],
    align=True,
)


@njit(**KERNEL)
def begin(head, leads):  # type: ignore[no-untyped-def]
    """A patient of whom nothing has been seen."""
    head.rhythm.last_at = math.nan
    head.rhythm.vf.score = fibrillation.NO_SCORE
    conduction.begin(head.rhythm.conduction)
    for i in range(leads.size):
        fibrillation.begin(leads[i].fib)


@njit(**KERNEL)
def found(head, leads, at, n):  # type: ignore[no-untyped-def]
    """Note what stands before a beat at analysis sample `at`; true when a pacemaker made it."""
    for i in range(leads.size):
        pwave.capture(leads[i], round(at), n)
    pulse = pwave.pulses(leads)
    rhythm = head.rhythm
    conduction.found(rhythm.conduction, leads, at, n)
    window.found(rhythm.windowed.found, at)
    rhythm.pulse_share += PULSE_RATE * (pulse - rhythm.pulse_share)
    return pulse > 0.0 and rhythm.pulse_share > PULSES


@njit(**KERNEL)
def _pacing(head, at, is_paced, rows, n_rows):  # type: ignore[no-untyped-def]
    """Paced rhythm: three paced beats in a row, until two in a row are not."""
    rhythm = head.rhythm
    if (rhythm.paced if is_paced else rhythm.free) == 0:
        rhythm.run_at = at
    rhythm.paced = rhythm.paced + 1 if is_paced else 0
    rhythm.free = 0 if is_paced else rhythm.free + 1
    spell = rhythm.patterns.spells[_PACED]
    if spell.open == 0 and rhythm.paced >= PACED_BEATS:
        spell = open_kind(head, _PACED, rhythm.run_at, rhythm.pulse_share)
        spell.evidence[0] = rhythm.pulse_share
        n_rows = write(head, spell, rows, n_rows)
    elif spell.open and rhythm.free >= FREE_BEATS:
        n_rows = end_kind(head, _PACED, rhythm.run_at, rows, n_rows)
    return n_rows


@njit(**KERNEL)
def _middle(rhythm):  # type: ignore[no-untyped-def]
    """Where the windows whose scores decide have their middle."""
    n = min(rhythm.af.n_nn, atrial.WINDOW)
    later = atrial.EVERY * (min(rhythm.af.n_scores, atrial.SCORES) - 1) // 2
    return rhythm.nn_at[(rhythm.af.n_nn - 1 - n // 2 - later) % atrial.WINDOW]


@njit(**KERNEL)
def _follow_af(head, is_new, rows, n_rows):  # type: ignore[no-untyped-def]
    """Open and end AF by its score; a paced rhythm, flutter and AV block interrupt it."""
    rhythm = head.rhythm
    spells, af = rhythm.patterns.spells, rhythm.af
    since = rhythm.run_at
    if is_new:
        was = rhythm.in_af
        rhythm.in_af = af.score > (atrial.ENDS if was else atrial.BEGINS)
        if was == 0 and rhythm.in_af and rhythm.was_free == 0:
            since = rhythm.nn_at[(af.n_nn - min(af.n_nn, atrial.WINDOW)) % atrial.WINDOW]
        elif was != rhythm.in_af:
            since = _middle(rhythm)
        if rhythm.in_af == 0:
            rhythm.was_free = 1
    wanted = rhythm.in_af == 1
    for kind in _NOT_AF:
        wanted = wanted and spells[kind].open == 0
        since = max(since, spells[kind].end) if kind != _PACED else since
    if wanted and spells[_AF].open == 0:
        spell = open_kind(head, _AF, since, 1.0 / (1.0 + math.exp(-af.score)))
        spell.evidence[0], spell.evidence[1] = af.score, 60.0 / af.features[0]
        spell.evidence[2], spell.evidence[3] = af.features[2], af.features[11]
        n_rows = write(head, spell, rows, n_rows)
        n_rows = end_kind(head, _BRADY, spell.onset, rows, n_rows)
        return end_kind(head, _TACHY, spell.onset, rows, n_rows)
    if not wanted:
        return end_kind(head, _AF, since, rows, n_rows)
    spells[_AF].confidence = max(spells[_AF].confidence, 1.0 / (1.0 + math.exp(-af.score)))
    return n_rows


@njit(**KERNEL)
def _follow_rate(head, at, nn_s, rows, n_rows):  # type: ignore[no-untyped-def]
    """Sinus bradycardia and tachycardia: median of 8 intervals that neither V nor pacing touch."""
    rhythm = head.rhythm
    spells = rhythm.patterns.spells
    rhythm.rr[rhythm.n_rr % RR_KEPT] = nn_s
    rhythm.n_rr += 1
    told = False
    for kind in _NOT_SINUS:
        told = told or spells[kind].open == 1
    if rhythm.n_rr < RR_KEPT or told:
        return n_rows
    rr_s = median(rhythm.rr, RR_KEPT)
    for kind in (_BRADY, _TACHY):
        slow = kind == _BRADY
        begins = rr_s > SLOW_S if slow else rr_s < FAST_S
        ends = rr_s < NOT_SLOW_S if slow else rr_s > NOT_FAST_S
        spell = spells[kind]
        if spell.open == 0 and begins:
            spell = open_kind(head, kind, at - RR_KEPT * rr_s * ANALYSIS_HZ, 1.0)
            spell.evidence[0] = 60.0 / rr_s
            n_rows = write(head, spell, rows, n_rows)
        elif spell.open and ends:
            n_rows = end_kind(head, kind, at - RR_KEPT // 2 * rr_s * ANALYSIS_HZ, rows, n_rows)
    return n_rows


@njit(**KERNEL)
def _pause(head, row, at, rows, n_rows):  # type: ignore[no-untyped-def]
    """A pause that was no asystole, seen at the beat that ends it."""
    rhythm = head.rhythm
    clear = rhythm.clear_s > row.rr_s and row.flags & _FLAG_POOR == 0
    before = at - row.rr_s * ANALYSIS_HZ
    if not row.rr_s > PAUSE_S or not clear or rhythm.patterns.spells[_ASYSTOLE].end > before:
        return n_rows
    spell = open_kind(head, _PAUSE, before, row.confidence)
    spell.evidence[0] = row.rr_s
    return end_kind(head, _PAUSE, at, rows, n_rows)


@njit(**KERNEL)
def _follow_block(head, at, follows, rows, n_rows):  # type: ignore[no-untyped-def]
    """Second-degree AV block, from the second P wave without a QRS complex.

    follows : whether the beat at `at` and the one before are neither ventricular nor paced
    """
    rhythm = head.rhythm
    spells, c = rhythm.patterns.spells, rhythm.conduction
    spell = spells[_BLOCK]
    like = np.float32(0.0)
    if follows and not (spells[_AF].open or spells[_FLUTTER].open or spells[_COMPLETE].open):
        like = conduction.take(c, at, rhythm.last_at)
    if spell.open and conduction.is_over(c, at):
        return end_kind(head, _BLOCK, c.event_at, rows, n_rows)
    if like > 0.0 and spell.open == 0 and c.n_events >= conduction.EVENTS:
        spell = open_kind(head, _BLOCK, c.event_from, like)
        spell.evidence[0], spell.evidence[1] = c.n_events, like
        n_rows = write(head, spell, rows, n_rows)
        return end_kind(head, _BRADY, spell.onset, rows, n_rows)
    if like > 0.0 and spell.open:
        spell.evidence[0], spell.confidence = c.n_events, max(spell.confidence, like)
    return n_rows


@njit(**KERNEL)
def _noise(head, leads, rows, n_rows):  # type: ignore[no-untyped-def]
    """Noise: for some seconds no lead would have shown a beat, nor that there was none."""
    rhythm = head.rhythm
    is_open = rhythm.patterns.spells[_NOISE].open == 1 or rhythm.vf.spell.open == 1
    if rhythm.unclear_s == NOISE_S and not is_open:
        off = np.float32(0.0)
        for i in range(leads.size):
            off += leads[i].second.code == _OFF
        onset = np.float64(head.n - NOISE_S * SECOND)
        spell = open_kind(head, _NOISE, onset, 1.0)
        spell.evidence[0] = off / np.float32(leads.size)
        return write(head, spell, rows, n_rows)
    if rhythm.clear_s == CLEAR_S:
        return end_kind(head, _NOISE, np.float64(head.n - CLEAR_S * SECOND), rows, n_rows)
    return n_rows


@njit(**KERNEL)
def known(head, leads, row, forest, rows, n_rows):  # type: ignore[no-untyped-def]
    """Take a beat whose class is known, `row` of the dtype `BEAT`; gives the count of `rows`.

    In atrial fibrillation no beat is told supraventricular: the row of one that was becomes normal.
    """
    rhythm = head.rhythm
    if rhythm.vf.spell.open:
        return n_rows  # what is found in fibrillation is no beat
    if row.aami == _S and rhythm.patterns.spells[_AF].open:
        row.code = row.aami = _N  # among intervals of any length none is early
    at = row.sample * ANALYSIS_HZ / head.fs_hz
    is_paced = row.flags & _FLAG_PACED != 0
    ventricular = row.aami == _V or row.aami == _F
    what = patterns.OTHER
    if row.aami == _V and not is_paced:
        what = patterns.VENTRICULAR
        tally.count_ventricular(rhythm.tally, int(at) // SECOND)
    elif row.aami == _S:
        what = patterns.SUPRAVENTRICULAR
    n_rows = _pacing(head, at, is_paced, rows, n_rows)
    n_rows = patterns.take(head, rhythm.patterns, at, what, row.confidence, rows, n_rows)
    plain = not ventricular and not is_paced and row.flags & _FLAG_POOR == 0
    is_new = False
    if plain:
        for i in range(leads.size):
            pwave.learn(leads[i], at)
        if rhythm.last_plain and row.rr_s > 0.0:
            before = rhythm.af.n_nn
            is_new = atrial.take(rhythm.af, leads, row.rr_s, forest)
            if rhythm.af.n_nn > before:
                rhythm.nn_at[before % atrial.WINDOW] = at
            if what == patterns.OTHER:
                n_rows = _follow_rate(head, at, row.rr_s, rows, n_rows)
    n_rows = _follow_block(head, at, plain and rhythm.last_plain, rows, n_rows)
    n_rows = _follow_af(head, is_new, rows, n_rows)
    n_rows = _pause(head, row, at, rows, n_rows)
    rhythm.last_plain, rhythm.last_at = plain, at
    return n_rows


@njit(**KERNEL)
def _is_organised(head):  # type: ignore[no-untyped-def]
    """Ventricular beats, so even and slow that it is tachycardia, whatever its waveform is like."""
    rhythm = head.rhythm
    state = rhythm.windowed.found
    if rhythm.patterns.ventricular < ORGANISED_BEATS or state.n <= EVEN_BEATS:
        return False
    least, most, last = np.inf, 0.0, state.at[(state.n - 1) % window.BEATS]
    for k in range(1, EVEN_BEATS + 1):
        at = state.at[(state.n - 1 - k) % window.BEATS]
        later = state.at[(state.n - k) % window.BEATS]
        least, most = min(least, later - at), max(most, later - at)
    goes_on = head.n - last < 2.0 * most + FOUND_S * ANALYSIS_HZ
    return goes_on and least > FASTEST_S * ANALYSIS_HZ and most < EVEN * least


@njit(**KERNEL)
def _fibrillation(head, leads, rows, n_rows):  # type: ignore[no-untyped-def]
    """Ventricular fibrillation; what else was open ends where it begins."""
    rhythm = head.rhythm
    if _is_organised(head):
        rhythm.organised_at = head.n
    # the window holds tachycardia for some time after its end, too
    recently = head.n - rhythm.organised_at < ORGANISED_S * SECOND and rhythm.organised_at > 0
    if not fibrillation.judge(rhythm.vf, leads, head.n, recently):
        return n_rows
    if rhythm.vf.spell.open:
        for kind in range(patterns.N_KINDS):
            n_rows = end_kind(head, kind, rhythm.vf.spell.onset, rows, n_rows)
        p = rhythm.patterns
        p.n = p.ventricular = p.supraventricular = p.alternate = p.thirds = 0
        rhythm.af.n_nn = rhythm.af.n_scores = rhythm.n_rr = rhythm.in_af = rhythm.last_plain = 0
        rhythm.paced = rhythm.free = 0
    return write(head, rhythm.vf.spell, rows, n_rows)


@njit(**KERNEL)
def _asystole(head, rows, n_rows):  # type: ignore[no-untyped-def]
    """No beat for 4 s while a lead would have shown one."""
    rhythm = head.rhythm
    spell = rhythm.patterns.spells[_ASYSTOLE]
    last = head.qrs.last.fiducial if head.qrs.n_beats > 0 else 0.0
    if spell.open:
        if last > spell.onset:
            return end_kind(head, _ASYSTOLE, last, rows, n_rows)
        spell.evidence[0] = np.float32((head.n - last) / ANALYSIS_HZ)
        return n_rows
    quiet_since = max(last, np.float64(head.n - rhythm.clear_s * SECOND))
    if rhythm.vf.spell.open or rhythm.calm_s < CALM_S:
        return n_rows
    if head.n - quiet_since < ASYSTOLE_S * SECOND:
        return n_rows
    spell = open_kind(head, _ASYSTOLE, quiet_since, 0.9 if head.qrs.n_beats > 0 else 0.5)
    spell.evidence[0] = np.float32((head.n - quiet_since) / ANALYSIS_HZ)
    return write(head, spell, rows, n_rows)


@njit(**KERNEL)
def end_second(head, leads, rows, n_rows):  # type: ignore[no-untyped-def]
    """The second before analysis sample `head.n` has ended, its quality is judged."""
    rhythm = head.rhythm
    clear, calm = False, False
    for i in range(leads.size):
        code = leads[i].second.code
        if code in (_USABLE, _FLAT):
            clear = True
            calm = calm or leads[i].fib.span_mv < CALM_MV
    rhythm.clear_s = rhythm.clear_s + 1 if clear else 0
    rhythm.unclear_s = 0 if clear else rhythm.unclear_s + 1
    rhythm.calm_s = rhythm.calm_s + 1 if calm else 0
    n_rows = _fibrillation(head, leads, rows, n_rows)
    n_rows = _asystole(head, rows, n_rows)
    n_rows = windowed.end_second(head, leads, rows, n_rows)
    n_rows = _noise(head, leads, rows, n_rows)
    judged = rhythm.af.n_nn >= atrial.LEAST
    tally.end_second(rhythm.tally, judged, rhythm.patterns.spells[_AF].open)
    return n_rows
