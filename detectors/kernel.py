"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors import quality
from detectors.state import RING
from dsp.filters import qrs_feature
from dsp.resample import ANALYSIS_HZ, interpolate

SECOND = int(ANALYSIS_HZ)
HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
LONG_GAP_S = 0.1  # missing longer than this, the baseline may have moved
_N = ord("N")


@njit(cache=True, nogil=True)
def _take(lead, x_mv, long_gap):  # type: ignore[no-untyped-def]
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
    tail = lead.resample.tail
    for j in range(tail.size - 1):
        tail[j] = tail[j + 1]
    tail[tail.size - 1] = value


@njit(cache=True, nogil=True)
def _sample(lead, head, step, table):  # type: ignore[no-untyped-def]
    """One analysis sample of a lead: resample, filter, gather its quality."""
    n = head.n
    tail = lead.resample.tail
    x = interpolate(tail, head.n_in - tail.size, n, step, table)
    absent = lead.gap > 0 or lead.started == 0
    i = n % RING
    lead.signal[i] = x
    lead.absent[i] = absent
    feature = qrs_feature(lead.front, x)
    lead.feature[i] = feature
    quality.gather(lead.second, x, lead.signal[(n - 2) % RING], absent)
    return feature


@njit(cache=True, nogil=True)
def _fuse(leads, n):  # type: ignore[no-untyped-def]
    """Mean of the leads' features, weighted by their quality; 0 when no lead is there."""
    total, weights = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        lead = leads[i]
        if lead.absent[n % RING]:
            continue
        weight = max(lead.second.sqi, np.float32(0.05))
        total += weight * lead.feature[n % RING]
        weights += weight
    if weights == 0.0:
        return np.float32(0.0)
    return total / weights


@njit(cache=True, nogil=True)
def _best_lead(leads, at):  # type: ignore[no-untyped-def]
    """The lead whose feature is highest at a peak: it tells the R peak."""
    best, top = 0, np.float32(-1.0)
    for i in range(leads.size):
        value = leads[i].feature[at % RING] * max(leads[i].second.sqi, np.float32(0.05))
        if value > top and not leads[i].absent[at % RING]:
            best, top = i, value
    return best


@njit(cache=True, nogil=True)
def _write_beat(head, row, fiducial, at, top, flags, lead):  # type: ignore[no-untyped-def]
    level = q.threshold(head.qrs)
    row.rr_s = q.keep_beat(head.qrs, at, top, fiducial)
    row.sample = round(fiducial * head.fs_hz / ANALYSIS_HZ)
    row.qrs_ms = math.nan
    row.confidence = np.float32(top / (top + level))
    row.flags = flags
    row.code = _N
    row.aami = _N
    row.lead = lead


@njit(cache=True, nogil=True)
def _decide(head, leads, beats, n_beats):  # type: ignore[no-untyped-def]
    """Beats that this analysis sample makes known; gives the new count."""
    qrs, n = head.qrs, head.n
    if q.peak(qrs, n, _fuse(leads, n)):
        at, top = qrs.held_at, qrs.held
        lead = _best_lead(leads, at)
        fiducial = q.r_peak(leads[lead].signal, at)
        if fiducial <= qrs.last_fiducial + q.WAIT // 2:
            pass
        elif q.is_beat(qrs):
            flags = 8 if qrs.n_beats < 4 else 0
            _write_beat(head, beats[n_beats], fiducial, at, top, flags, lead)
            n_beats += 1
        else:
            q.keep_noise(qrs, top)
            if top > qrs.spare and at - qrs.last_at > q.T_WAVE:
                qrs.spare, qrs.spare_at, qrs.spare_fiducial = top, at, fiducial
    if q.search_due(qrs, n):
        lead = _best_lead(leads, qrs.spare_at)
        _write_beat(head, beats[n_beats], qrs.spare_fiducial, qrs.spare_at, qrs.spare, 1, lead)
        n_beats += 1
    return n_beats


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
    known = head.n - head.qrs.last_at < 4 * SECOND
    row.hr_bpm = (
        60.0 / q._middle(head.qrs.rr, head.qrs.n_rr) if known and head.qrs.n_rr else math.nan
    )
    row.hr_fast_bpm = row.hr_bpm
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
            _take(leads[i], x_mv[i, s], long_gap)
        head.n_in += 1
        while math.floor(head.n * step) + half + 1 <= head.n_in:
            for i in range(leads.size):
                _sample(leads[i], head, step, table)
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
