"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors import quality
from detectors.state import RING, RR_KEPT
from dsp.features import sharpness
from dsp.filters import SLOPE, qrs_feature
from dsp.resample import ANALYSIS_HZ, interpolate, take
from ecg.codes import BeatFlag, QualityCode

SECOND = int(ANALYSIS_HZ)
HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
LONG_GAP_S = 0.1  # missing longer than this, the baseline may have moved
LEAST_WEIGHT = np.float32(0.05)  # a poor lead counts little, but more than nothing
TIMING_SHARE = np.float32(0.3)
RATE_KNOWN_S = 6.0  # a rate of older beats is no rate
_NORMAL = ord("N")
_USABLE = int(QualityCode.USABLE)
_SEARCH_BACK = int(BeatFlag.SEARCH_BACK)
_POOR_SIGNAL = int(BeatFlag.POOR_SIGNAL)
_LEARNING = int(BeatFlag.LEARNING)


@njit(cache=True, nogil=True)
def _take(lead, index, x_mv, long_gap):  # type: ignore[no-untyped-def]
    """One input: what is missing is held, and what comes back goes on where it was."""
    if not math.isfinite(x_mv):
        lead.gap += 1
        value = lead.held_mv
    else:
        if lead.started == 0 or lead.gap > long_gap:
            lead.offset_mv = x_mv - lead.held_mv
        lead.started = 1
        lead.gap = 0
        value = x_mv - lead.offset_mv
        lead.held_mv = value
    take(lead.resample, index, value)


@njit(cache=True, nogil=True)
def _sample(lead, n, step, table):  # type: ignore[no-untyped-def]
    """Steps 1 to 3. One analysis sample of a lead: resample, filter, gather its quality."""
    x = interpolate(lead.resample, n, step, table)
    absent = lead.gap > 0 or lead.started == 0
    i = n & (RING - 1)
    lead.signal[i] = x
    lead.absent[i] = absent
    lead.slope[i], lead.feature[i] = qrs_feature(lead.front, x)
    quality.gather(lead.second, x, lead.signal[(n - 2) & (RING - 1)], absent)


@njit(cache=True, nogil=True)
def _weight(lead, at):  # type: ignore[no-untyped-def]
    """What a lead counts for in the decision at a sample."""
    if lead.absent[at & (RING - 1)]:
        return np.float32(0.0)
    return max(lead.second.sqi, LEAST_WEIGHT)


@njit(cache=True, nogil=True)
def _fuse(leads, n):  # type: ignore[no-untyped-def]
    """Mean of the leads' features, weighted by their quality; 0 when no lead is there."""
    total, weights = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        weight = _weight(leads[i], n)
        total += weight * leads[i].feature[n & (RING - 1)]
        weights += weight
    return total / weights if weights > 0.0 else np.float32(0.0)


@njit(cache=True, nogil=True)
def _sharpness(leads, at, n):  # type: ignore[no-untyped-def]
    """Sharpness of a peak in all leads, weighted as the feature is."""
    total, weights = np.float32(0.0), np.float32(1e-9)
    for i in range(leads.size):
        weight = _weight(leads[i], at)
        total += weight * sharpness(leads[i].slope, at - q.SHARP_FROM, min(at + SLOPE, n), SLOPE)
        weights += weight
    return total / weights


@njit(cache=True, nogil=True)
def _timing_lead(leads, at):  # type: ignore[no-untyped-def]
    """The first lead that is about as good as the best: it tells the R peak.

    Always the same one while it is good, for leads do not peak at the same time.
    """
    best = np.float32(0.0)
    for i in range(leads.size):
        best = max(best, _weight(leads[i], at) * leads[i].feature[at & (RING - 1)])
    for i in range(leads.size):
        strength = _weight(leads[i], at) * leads[i].feature[at & (RING - 1)]
        if strength >= TIMING_SHARE * best:
            return i
    return 0


@njit(cache=True, nogil=True)
def _write_beat(head, leads, peak, search_back, row):  # type: ignore[no-untyped-def]
    """Fill the row of a beat, unless its R peak belongs to the beat before; true when filled."""
    qrs = head.qrs
    lead = _timing_lead(leads, peak.at)
    fiducial = q.r_peak(leads[lead], peak.at)
    if fiducial < qrs.last_fiducial + q.WAIT // 2:
        return False
    level = q.threshold(qrs, head.n)
    flags = _SEARCH_BACK if search_back else 0
    if qrs.n_beats < q.LEARNING_BEATS:
        flags |= _LEARNING
    if leads[lead].second.code != _USABLE:
        flags |= _POOR_SIGNAL
    row.confidence = peak.score / (peak.score + level)
    row.rr_s = q.keep_beat(qrs, peak, fiducial)
    row.sample = round(fiducial * head.fs_hz / ANALYSIS_HZ)
    row.qrs_ms = math.nan
    row.flags = flags
    row.code = _NORMAL
    row.aami = _NORMAL
    row.lead = lead if leads.size == 1 else -1
    return True


@njit(cache=True, nogil=True)
def _decide(head, leads, beats, n_beats):  # type: ignore[no-untyped-def]
    """Steps 4 to 9. Beats that this analysis sample makes known; gives the new count."""
    qrs, n = head.qrs, head.n
    ended = q.peak_ended(qrs, n, _fuse(leads, n))
    due = False
    if qrs.wait > 0:
        qrs.wait -= 1
        due = qrs.wait == 0
    if due:
        if q.is_beat(qrs, n):
            n_beats += _write_beat(head, leads, qrs.held, False, beats[n_beats])
        else:
            q.keep_noise(qrs)
        qrs.held.score = np.float32(0.0)
    if ended:
        q.hold(qrs, _sharpness(leads, qrs.top_at, n))
    if q.search_back_due(qrs, n):
        n_beats += _write_beat(head, leads, qrs.spare, True, beats[n_beats])
        qrs.spare.score = np.float32(0.0)
    return n_beats


@njit(cache=True, nogil=True)
def _middle_of_three(qrs):  # type: ignore[no-untyped-def]
    """Median of the last three intervals, s; the median of all while there are fewer."""
    if qrs.n_rr < 3:
        return qrs.rr_median
    a = qrs.rr[(qrs.n_rr - 1) % RR_KEPT]
    b = qrs.rr[(qrs.n_rr - 2) % RR_KEPT]
    c = qrs.rr[(qrs.n_rr - 3) % RR_KEPT]
    return max(min(a, b), min(max(a, b), c))


@njit(cache=True, nogil=True)
def _second(head, leads, vitals, n_vitals, rows, n_rows):  # type: ignore[no-untyped-def]
    """Rows of the second that has ended."""
    end = round(head.n * head.fs_hz / ANALYSIS_HZ)
    for i in range(leads.size):
        quality.judge(leads[i].second)
        row = rows[n_rows]
        row.sample = round((head.n - SECOND) * head.fs_hz / ANALYSIS_HZ)
        row.sqi = leads[i].second.sqi
        row.lead = i
        row.code = leads[i].second.code
        quality.begin(leads[i].second)
        n_rows += 1
    row = vitals[n_vitals]
    row.sample = end
    qrs = head.qrs
    known = qrs.n_rr > 0 and head.n - qrs.last.at < RATE_KNOWN_S * ANALYSIS_HZ
    row.hr_bpm = 60.0 / qrs.rr_median if known else math.nan
    row.hr_fast_bpm = 60.0 / _middle_of_three(qrs) if known else math.nan
    row.pvc_per_min = 0.0
    row.af_burden = math.nan
    return n_rows


@njit(cache=True, nogil=True)
def advance(head, leads, x_mv, step, table, beats, vitals, rows):  # type: ignore[no-untyped-def]
    """Take a chunk of inputs; write what becomes known; give the counts of rows written."""
    n_beats, n_vitals, n_rows = 0, 0, 0
    half = table.shape[1] // 2
    long_gap = int(head.fs_hz * LONG_GAP_S)
    for s in range(x_mv.shape[1]):
        for i in range(leads.size):
            _take(leads[i], head.n_in, x_mv[i, s], long_gap)
        head.n_in += 1
        while math.floor(head.n * step) + half + 1 <= head.n_in:
            for i in range(leads.size):
                _sample(leads[i], head.n, step, table)
            n_beats = _decide(head, leads, beats, n_beats)
            head.n += 1
            if head.n % SECOND == 0:
                n_rows = _second(head, leads, vitals, n_vitals, rows, n_rows)
                n_vitals += 1
    head.through = max(0, round((head.n - HORIZON) * head.fs_hz / ANALYSIS_HZ))
    return n_beats, n_vitals, n_rows


@njit(cache=True, nogil=True)
def begin(head, leads):  # type: ignore[no-untyped-def]
    """A state that has seen nothing."""
    q.begin(head.qrs)
    for i in range(leads.size):
        quality.begin(leads[i].second)
        leads[i].second.sqi = np.float32(0.5)


@njit(cache=True, nogil=True)
def advance_all(heads, leads, x_mv, sizes, step, table, rows, counts):  # type: ignore[no-untyped-def]
    """`advance` for a bank: every patient that has samples, one after the other.

    x_mv : float32 [n_patients, n_leads, n_samples], of which `sizes` [n_patients] are filled
    rows : the tables of findings, [n_patients, ...] each; counts : int64 [n_patients, 3]
    """
    beats, vitals, quality_rows = rows
    for p in range(heads.size):
        counts[p] = 0
        if sizes[p] > 0:
            counts[p, 0], counts[p, 1], counts[p, 2] = advance(
                heads[p],
                leads[p],
                x_mv[p, :, : sizes[p]],
                step,
                table,
                beats[p],
                vitals[p],
                quality_rows[p],
            )
