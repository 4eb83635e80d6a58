"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import beats as classes
from detectors import fibrillation as vf
from detectors import qrs as q
from detectors import quality, rhythm, tally
from detectors.facts import N_FACTS
from detectors.state import RING, RR_KEPT
from dsp.features import sharpness
from dsp.filters import SLOPE, qrs_features
from dsp.resample import ANALYSIS_HZ, interpolate, take
from ecg.codes import BeatFlag, QualityCode

SECOND = int(ANALYSIS_HZ)
BLOCK = SECOND // 5
HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
LONG_GAP_S = 0.1  # missing longer than this, the baseline may have moved
LEAST_WEIGHT = np.float32(0.05)  # a poor lead counts little, but more than nothing
MEAN_RATE = np.float32(0.25)  # a second
HEIGHT_RATE = np.float32(0.125)  # a beat
MOST_CREST = np.float32(20.0)
TINY = np.float32(1e-6)
TIMING_SHARE = np.float32(0.3)
RATE_KNOWN_S = 6.0  # a rate of older beats is no rate
_USABLE = int(QualityCode.USABLE)
_OFF = int(QualityCode.LEAD_OFF)
_SEARCH_BACK = int(BeatFlag.SEARCH_BACK)
_POOR_SIGNAL = int(BeatFlag.POOR_SIGNAL)
_LEARNING = int(BeatFlag.LEARNING)
_PACED = int(BeatFlag.PACED)


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
def _resample(lead, x_mv, start, head, end, step, table):  # type: ignore[no-untyped-def]
    """Step 1. Analysis samples up to `end` (not included) of one lead, as far as inputs reach.

    `start` is the place in `x_mv` of the input number `head.n_in`. Gives the number of inputs
    taken; as many are taken as the last sample made needs, all of them when they do not reach.
    """
    state, signal, absent = lead.resample, lead.signal, lead.absent
    half, long_gap = table.shape[1] // 2, int(head.fs_hz * LONG_GAP_S)
    s, size, ahead = start, x_mv.size, head.n_in - start
    n = head.n
    while n < end:
        need = math.floor(n * step) + half + 1 - ahead
        for i in range(s, min(need, size)):
            _take(lead, ahead + i, x_mv[i], long_gap)
        s = max(s, min(need, size))
        if need > size:
            break
        signal[n & (RING - 1)] = interpolate(state, n, step, table)
        absent[n & (RING - 1)] = lead.gap > 0 or lead.started == 0
        n += 1
    return s - start, n


@njit(cache=True, nogil=True)
def _weight(lead, at):  # type: ignore[no-untyped-def]
    """What a lead counts for in the decision at a sample."""
    return np.float32(0.0) if lead.absent[at & (RING - 1)] else lead.weight


@njit(cache=True, nogil=True)
def _weigh(leads):  # type: ignore[no-untyped-def]
    """Weights of the leads for the second that begins: quality, and how far beats stand out.

    The feature of a lead is measured in heights of its own beats, and counts by the cube of the
    height over the mean, as the mean of measurements of different precision does.
    """
    for i in range(leads.size):
        lead = leads[i]
        total = np.float32(0.0)
        for j in range(RING):
            total += lead.feature[j]
        lead.mean += MEAN_RATE * (total / np.float32(RING) - lead.mean)
        lead.weight = max(lead.second.sqi, LEAST_WEIGHT)
        if lead.height > 0.0:
            lead.weight *= min(lead.height / (lead.mean + TINY), MOST_CREST) ** 3 / lead.height


@njit(cache=True, nogil=True)
def _fuse(leads, n):  # type: ignore[no-untyped-def]
    """Mean of the leads' features by their weights, in mV a 16 ms; 0 when no lead is there."""
    if leads.size == 1:
        absent = leads[0].absent[n & (RING - 1)]
        return np.float32(0.0) if absent else leads[0].feature[n & (RING - 1)]
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
def _learn_heights(leads, at):  # type: ignore[no-untyped-def]
    """Note how high the feature of each lead is at a beat."""
    for i in range(leads.size):
        lead = leads[i]
        height = lead.feature[at & (RING - 1)]
        if lead.absent[at & (RING - 1)]:
            continue
        rate = HEIGHT_RATE if lead.height > 0.0 else np.float32(1.0)
        lead.height += rate * (height - lead.height)


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
def _when(head, n):  # type: ignore[no-untyped-def]
    """Sample at the device's own rate, and its time in ns, of an analysis sample."""
    sample = round(n * head.fs_hz / ANALYSIS_HZ)
    # start is added as an integer: a float of nanoseconds since 1970 is not exact
    return sample, head.start_ns + round(sample * 1e9 / head.fs_hz)


@njit(cache=True, nogil=True)
def _write_beat(head, leads, n, peak, search_back, row):  # type: ignore[no-untyped-def]
    """Fill the row of a beat, unless its R peak belongs to the beat before; true when filled."""
    qrs, lead = head.qrs, peak.lead
    if peak.fiducial < qrs.last.fiducial + q.WAIT // 2:
        return False
    level = q.threshold(qrs, n)
    flags = _SEARCH_BACK if search_back else 0
    if qrs.n_beats < q.LEARNING_BEATS:
        flags |= _LEARNING
    if leads[lead].second.code != _USABLE:
        flags |= _POOR_SIGNAL
    row.confidence = peak.score / (peak.score + level)
    row.sample, row.t_ns = _when(head, peak.fiducial)
    row.qrs_ms = math.nan
    row.flags = flags
    row.code, row.aami = classes.UNKNOWN, classes.UNKNOWN_CLASS
    row.lead = lead if leads.size == 1 else -1
    row.rr_s = q.keep_beat(qrs, peak)
    if rhythm.found(head, leads, peak.fiducial, n):
        row.flags |= _PACED
    return True


@njit(cache=True, nogil=True)
def _decide(head, leads, n, beats, n_beats):  # type: ignore[no-untyped-def]
    """Steps 4 to 9. Beats that this analysis sample makes known; gives the new count."""
    qrs = head.qrs
    ended = q.peak_ended(qrs, n, _fuse(leads, n))
    due = False
    if qrs.wait > 0:
        qrs.wait -= 1
        due = qrs.wait == 0
    if due:
        held = qrs.held
        held.lead = _timing_lead(leads, held.at)
        held.fiducial = q.r_peak(leads[held.lead], q.own_peak(leads[held.lead], held.at, n))
        if q.is_beat(qrs, n):
            _learn_heights(leads, held.at)
            q.learn_polarity(leads[held.lead], held.fiducial)
            n_beats += _write_beat(head, leads, n, held, False, beats[n_beats])
        else:
            q.keep_noise(qrs)
        held.score = np.float32(0.0)
    if ended:
        q.hold(qrs, _sharpness(leads, qrs.top_at, n))
    if q.search_back_due(qrs, n):
        n_beats += _write_beat(head, leads, n, qrs.spare, True, beats[n_beats])
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
    for i in range(leads.size):
        quality.judge(leads[i].second)
        row = rows[n_rows]
        row.sample, row.t_ns = _when(head, head.n - SECOND)
        row.sqi = leads[i].second.sqi
        row.lead = i
        row.code = leads[i].second.code
        quality.begin(leads[i].second)
        n_rows += 1
    _weigh(leads)
    row = vitals[n_vitals]
    row.sample, row.t_ns = _when(head, head.n)
    qrs = head.qrs
    known = qrs.n_rr > 0 and head.n - qrs.last.at < RATE_KNOWN_S * ANALYSIS_HZ
    row.hr_bpm = 60.0 / qrs.rr_median if known else math.nan
    row.hr_fast_bpm = 60.0 / _middle_of_three(qrs) if known else math.nan
    row.pvc_per_min = head.rhythm.tally.n_ectopic
    row.af_burden = tally.af_burden(head.rhythm.tally)
    return n_rows


@njit(cache=True, nogil=True)
def _read_second(lead, n, out):  # type: ignore[no-untyped-def]
    """The second of analysis samples before `n`, in one piece."""
    for i in range(SECOND):
        out[i] = lead.signal[(n - SECOND + i) & (RING - 1)]


@njit(cache=True, nogil=True)
def advance(head, leads, x_mv, step, table, models, tables):  # type: ignore[no-untyped-def]
    """Take a chunk of inputs; write what becomes known; give the counts of rows written.

    models : `detectors.weights.Models`
    tables : those of `Findings`, and facts of beats, float32 [n, N_FACTS], n 0 when not wanted
    """
    beats, vitals, rows, episodes, told, facts = tables
    out = (models.ventricular, models.supraventricular, told, facts)
    n_beats, n_vitals, n_rows, n_episodes = 0, 0, 0, 0
    head.beats.n_told = 0
    second = np.empty(SECOND, np.float32)
    start = 0
    while True:
        # a block ends with every fifth of a second at the latest: rings hold it and its past,
        # and no second ends within it
        end = (head.n // BLOCK + 1) * BLOCK
        taken, made = 0, head.n
        for i in range(leads.size):
            taken, made = _resample(leads[i], x_mv[i], start, head, end, step, table)
            lead = leads[i]
            qrs_features(lead.front, lead.signal, lead.slope, lead.feature, head.n, made)
            quality.gather(lead.second, lead.signal, lead.absent, head.n, made)
        for n in range(head.n, made):
            before = head.beats.n_told
            count = _decide(head, leads, n, beats, n_beats)
            if count > n_beats:  # one at most
                at = head.qrs.last.fiducial
                classes.found(head.beats, leads, at, n, beats[n_beats], out)
                n_beats = count
            if n >= head.beats.due:
                classes.tell(head.beats, leads, classes.LAST_CALL_S, False, out)
            for k in range(before, head.beats.n_told):
                n_episodes = rhythm.known(head, leads, told[k], models.af, episodes, n_episodes)
        start += taken
        head.n_in += taken
        head.n = made
        if made < end:  # no inputs left
            break
        if made % SECOND == 0:
            n_rows = _second(head, leads, vitals, n_vitals, rows, n_rows)
            n_vitals += 1
            for i in range(leads.size):
                _read_second(leads[i], head.n, second)
                missing = SECOND if leads[i].second.code == _OFF else 0
                vf.take_second(leads[i].fib, second, missing)
                vf.judge_lead(leads[i].fib, models.vf)
            n_episodes = rhythm.end_second(head, leads, episodes, n_episodes)
    head.through = max(0, round((head.n - HORIZON) * head.fs_hz / ANALYSIS_HZ))
    return n_beats, n_vitals, n_rows, n_episodes, head.beats.n_told


@njit(cache=True, nogil=True)
def begin(head, leads):  # type: ignore[no-untyped-def]
    """A state that has seen nothing."""
    q.begin(head.qrs)
    rhythm.begin(head, leads)
    classes.begin(head.beats)
    for i in range(leads.size):
        quality.begin(leads[i].second)
        leads[i].second.sqi = leads[i].weight = np.float32(0.5)


@njit(cache=True, nogil=True)
def advance_all(heads, leads, x_mv, sizes, step, table, models, rows, counts):  # type: ignore[no-untyped-def]
    """`advance` for a bank: every patient that has samples, one after the other.

    x_mv : float32 [n_patients, n_leads, n_samples], of which `sizes` [n_patients] are filled
    rows : the tables of findings, [n_patients, ...] each; counts : int64 [n_patients, 5]
    """
    beats, vitals, quality_rows, episodes, told = rows
    no_facts = np.empty((0, N_FACTS), np.float32)
    for p in range(heads.size):
        counts[p] = 0
        if sizes[p] > 0:
            tables = (beats[p], vitals[p], quality_rows[p], episodes[p], told[p], no_facts)
            x = x_mv[p, :, : sizes[p]]
            found = advance(heads[p], leads[p], x, step, table, models, tables)
            for k in range(len(found)):
                counts[p, k] = found[k]
