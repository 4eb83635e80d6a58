"""The class of each beat: what is known about it, gathered as the stream goes on.

A beat is looked at twice: when it is found, for its shape against the patient's own beats, and when
the next one is found, or none came in time, for its place among the others. Then boosted trees
tell its class, and that is final. Steps are numbered as in docs/beats.md.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import intervals, kinds
from detectors import shape as s
from detectors.classify import CERTAIN, PACED, classify
from detectors.facts import N_FACTS, F
from detectors.intervals import RR_KEPT
from detectors.kinds import NONE
from detectors.shape import T_SIZE
from dsp.memory import KERNEL, room
from dsp.resample import ANALYSIS_HZ
from ecg import BEAT
from ecg.codes import AAMI_CLASS, BeatFlag

LAST_CALL = 425  # analysis samples (1.7 s) after which no next beat is waited for
LAST_CALL_S = np.float32(LAST_CALL / ANALYSIS_HZ)
NEVER = 1 << 62
LIKE = np.float32(0.7)  # correlation from which on a P wave is the patient's own
SHORT_S = 0.5  # interval behind a beat below which its T wave is not seen
GOOD = np.float32(0.3)  # leads that count for less than this share of the best set no extremes
_FROM, _END = int(F.DIST), int(F.P_SCATTER)
_Q, _FLAG_PACED = ord("Q"), int(BeatFlag.PACED)

UNKNOWN = ord("?")
UNKNOWN_CLASS = ord(AAMI_CLASS["?"])

BEATS = np.dtype(
    [
        ("n_told", "i8"),  # classes told in this push
        ("row", BEAT),  # of the beat that waits for its class
        ("kinds", s.KIND, (s.KINDS,)),
        ("usual", "i4"),  # the kind that is the patient's own beat
        ("kind", "i4"),  # of the beat that waits, and of the one before it
        ("last_kind", "i4"),
        ("at", "f8"),  # fiducial of the last beat, analysis samples
        ("due", "i8"),  # analysis sample at which it is told at the latest
        ("pre_s", "f4"),  # intervals before it
        ("prev_s", "f4"),
        ("rr", "f4", (RR_KEPT,)),  # the last intervals, s
        ("n_rr", "i8"),
        ("nn", "f4", (RR_KEPT,)),  # those between usual beats
        ("n_nn", "i8"),
        ("ref_s", "f4"),  # interval of the basic rhythm: neither early beats nor pauses move it
        ("misses", "i4"),  # intervals in a row that were far from it
        ("run", "i4"),  # early beats in a row
        ("run_p", "f4"),
        ("run_dist", "f4"),
        ("onset", "f4"),
        ("ventricular", "f4"),  # score of the beat told last
        ("scatter", "f4"),
        ("p_scatter", "f4"),
        ("facts", "f4", (N_FACTS,)),  # of the beat that waits
        ("next", "f4", (N_FACTS,)),  # of the beat that was found just now
    ],
    align=True,
)
"""Memory of the patient's beats."""


@njit(**KERNEL)
def begin(b):  # type: ignore[no-untyped-def]
    """A patient of whom no beat has been seen."""
    b.usual = b.kind = b.last_kind = NONE
    b.at = math.nan
    b.ventricular = -CERTAIN
    b.scatter, b.p_scatter = np.float32(0.05), np.float32(0.1)
    b.due = NEVER


@njit(**KERNEL)
def look(leads, r, n):  # type: ignore[no-untyped-def]
    """Step 1. Take the beat at sample `r` out of the rings; gives what the best lead counts for."""
    best = np.float32(0.0)
    blind = r < n - s.OLDEST
    for i in range(leads.size):
        lead, now = leads[i], leads[i].shape.now
        known = r > n - s.ABSENCE_KNOWN
        if blind or (known and lead.absent[r & (lead.absent.size - 1)]):
            now.weight = np.float32(0.0)
            continue
        s.snapshot(lead.shape.raw, lead.signal, r, n)
        s.measure(lead.shape)
        s.cut(lead.shape, 0)
        now.noise /= np.float32(math.sqrt(now.power / s.QRS_SIZE)) + s.TINY
        ratio = np.float32(10.0) * now.noise
        now.weight = max(lead.second.sqi, np.float32(0.02)) / (np.float32(1.0) + ratio * ratio)
        best = max(best, now.weight)
    return best


@njit(**KERNEL)
def _compare_lead(now, usual, f, w):  # type: ignore[no-untyped-def]
    """Add a lead's facts of shape, by its weight `w`; gives correlation, gain and spread."""
    two = np.float32(2.0)
    both = s.dot(now.qrs, 0, usual.qrs, 0, s.QRS_SIZE)
    corr = s.likeness(both, now.power, usual.power)
    ratio = (now.power + s.TINY) / (usual.power + s.TINY)
    gain = np.float32(0.5) * np.float32(math.log2(ratio))
    spread = now.spread / (usual.spread + s.TINY)
    f[F.DIST] += w * kinds.distance(now.power, usual.power, both)
    f[F.CORR] += w * corr
    f[F.GAIN] += w * gain
    f[F.SPREAD_RATIO] += w * spread
    f[F.SLOPE_RATIO] += w * now.slope / (usual.slope + s.TINY)
    f[F.AREA_RATIO] += w * now.area / (usual.area + s.TINY)
    f[F.NOISE] += w * now.noise
    # where conduction is delayed within the ventricles, the beginning is the usual one
    both = s.dot(now.qrs, 0, usual.qrs, 0, s.FIRST_SIZE)
    mine = s.dot(now.qrs, 0, now.qrs, 0, s.FIRST_SIZE)
    its = s.dot(usual.qrs, 0, usual.qrs, 0, s.FIRST_SIZE)
    f[F.FIRST_CORR] += w * s.likeness(both, mine, its)
    f[F.FIRST_DIST] += w * kinds.distance(mine, its, both)
    # the P wave
    both = s.dot(now.p, 0, usual.p, 0, s.P_SIZE)
    mine = s.dot(now.p, 0, now.p, 0, s.P_SIZE)
    its = s.dot(usual.p, 0, usual.p, 0, s.P_SIZE)
    unit = usual.power + s.TINY
    p_corr = s.likeness(both, mine, its)
    f[F.P_CORR] += w * p_corr
    f[F.P_GAIN] += w * min(both / (its + s.TINY), np.float32(4.0))
    f[F.P_REST] += w * np.float32(math.sqrt(max(mine + its - two * both, np.float32(0.0)) / unit))
    f[F.P_PATIENT] += w * np.float32(math.sqrt(its / unit))
    return corr, gain, spread, p_corr


@njit(**KERNEL)
def compare(b, leads, f, best):  # type: ignore[no-untyped-def]
    """Step 3. Facts of the shape of the beat being looked at, against the usual one."""
    weights = s.TINY
    low, high, p_high = np.float32(2.0), np.float32(-2.0), np.float32(-2.0)
    gain_high, spread_high, width = np.float32(-9.0), np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        now = leads[i].shape.now
        if now.weight <= 0.0:
            continue
        usual = leads[i].shape.templates[b.usual]
        corr, gain, spread, p_corr = _compare_lead(now, usual, f, now.weight)
        weights += now.weight
        if now.weight > GOOD * best:
            low, high, p_high = min(low, corr), max(high, corr), max(p_high, p_corr)
            gain_high, spread_high = max(gain_high, gain), max(spread_high, spread)
            width = max(width, now.width)
    for j in range(_FROM, _END):
        f[j] /= weights
    f[F.CORR_LOW], f[F.CORR_HIGH], f[F.P_CORR_HIGH] = low, high, p_high
    f[F.GAIN_HIGH], f[F.SPREAD_HIGH], f[F.WIDTH_MS] = gain_high, spread_high, width


@njit(**KERNEL)
def _quartile(level, value):  # type: ignore[no-untyped-def]
    """Let an upper quartile follow a value: three steps down are one up."""
    up = np.float32(1.09) if value > level else np.float32(0.97)
    return min(max(level * up, np.float32(0.004)), np.float32(0.5))


@njit(**KERNEL)
def _over(value, level, floor):  # type: ignore[no-untyped-def]
    """Binary logarithm of a ratio, the same for all values far below `floor`."""
    return np.float32(math.log2((value + floor) / (level + floor)))


@njit(**KERNEL)
def _against_the_patient(b, f, early):  # type: ignore[no-untyped-def]
    """Step 4. How much a shape differs from the usual one, measured by how much they all do."""
    f[F.SCATTER], f[F.P_SCATTER] = b.scatter, b.p_scatter
    f[F.DIST_REL] = _over(f[F.DIST], b.scatter, np.float32(0.005))
    f[F.P_REL] = _over(f[F.P_REST], b.p_scatter, np.float32(0.01))
    if not early:
        b.scatter = _quartile(b.scatter, f[F.DIST])
        b.p_scatter = _quartile(b.p_scatter, f[F.P_REST])


@njit(**KERNEL)
def _run(b, f, rr_s, early):  # type: ignore[no-untyped-def]
    """Step 5. Early beats in a row, and the basic rhythm."""
    b.run = b.run + 1 if early else 0
    if b.run <= 1:
        b.run_p = b.run_dist = np.float32(0.0)
        b.onset = np.float32(1.0)
        if early and b.pre_s > 0.0:
            b.onset = min(rr_s / b.pre_s, np.float32(2.0))
    if early:
        b.run_p += (f[F.P_CORR] - b.run_p) / np.float32(b.run)
        b.run_dist += (f[F.DIST] - b.run_dist) / np.float32(b.run)
    f[F.RUN] = np.float32(math.log2(b.run + 1.0))
    f[F.RUN_P], f[F.RUN_DIST], f[F.ONSET] = b.run_p, b.run_dist, b.onset
    if f[F.PACED] > 0.0:
        return
    # a rate that rises step by step, with the patient's own P wave, is sinus rhythm
    gradual = early and b.onset > intervals.EARLY
    is_sinus = gradual and f[F.P_CORR] > LIKE and f[F.DIST] < kinds.SAME_KIND
    intervals.follow(b, rr_s, is_sinus)


@njit(**KERNEL)
def find(b, leads, fiducial, n, paced):  # type: ignore[no-untyped-def]
    """Steps 1 to 5, of a beat found at analysis sample `n`; gives its kind and its interval, s.

    The basic rhythm is the patient's own: a pacemaker comes when that is late, and what comes
    before the pacemaker would is not early for it.
    """
    rr_s = np.float32((fiducial - b.at) / ANALYSIS_HZ)
    f = b.next
    f[:] = np.float32(0.0)
    best = look(leads, round(fiducial), n)
    f[F.PACED] = np.float32(paced)
    known = intervals.usable(rr_s) and b.ref_s > 0.0 and not paced
    early = known and rr_s < intervals.EARLY * b.ref_s
    f[F.PRE_REF] = rr_s / b.ref_s if known else np.float32(1.0)
    if not paced:
        intervals.keep(b, rr_s)
    kind = b.usual
    if best > 0.0:
        kind, apart = kinds.sort_in(b, leads, early)
        kinds.choose_usual(b)
        compare(b, leads, f, best)
        _against_the_patient(b, f, early)
        f[F.OWN_DIST] = apart
    else:
        f[F.BLIND] = np.float32(1.0)
    _run(b, f, rr_s, early)
    return kind, rr_s


@njit(**KERNEL)
def _between(a, b):  # type: ignore[no-untyped-def]
    """Distance of two beats in one lead, times what it counts for; and what it counts for."""
    weight = min(a.weight, b.weight)
    if weight <= 0.0:
        return np.float32(0.0), np.float32(0.0)
    both = s.dot(a.qrs, 0, b.qrs, 0, s.QRS_SIZE)
    return weight * kinds.distance(a.power, b.power, both), weight


@njit(**KERNEL)
def apart(leads, from_next):  # type: ignore[no-untyped-def]
    """Distance of the held beat from the one found now, or from the one before it."""
    total, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        shape = leads[i].shape
        if from_next:
            far, weight = _between(shape.held, shape.now)
        else:
            far, weight = _between(shape.held, shape.before)
        total += far
        weights += weight
    return total / weights


@njit(**KERNEL)
def t_waves(b, leads):  # type: ignore[no-untyped-def]
    """Step 6. Facts of the held beat's T wave; its kind learns it."""
    f, r = b.facts, round(b.at)
    t = room(T_SIZE)
    weights = s.TINY
    for i in range(leads.size):
        shape = leads[i].shape
        weight = shape.held.weight
        if weight <= 0.0:
            continue
        s.t_wave(leads[i].signal, r, t)
        usual = shape.templates[b.usual]
        mine = s.dot(t, 0, t, 0, s.T_SIZE)
        its = s.dot(usual.t, 0, usual.t, 0, s.T_SIZE)
        f[F.T_CORR] += weight * s.likeness(s.dot(t, 0, usual.t, 0, s.T_SIZE), mine, its)
        f[F.T_GAIN] += weight * np.float32(math.sqrt(mine / (usual.power + s.TINY)))
        weights += weight
        s.learn_t(shape.templates[b.kind], t)
    f[F.T_CORR] /= weights
    f[F.T_GAIN] /= weights


@njit(**KERNEL)
def complete(b, leads, post_s, has_next):  # type: ignore[no-untyped-def]
    """Step 6. What is still missing about the held beat: its neighbours, T wave and kind."""
    f = b.facts
    med = intervals.place(b, post_s)
    if b.kind != NONE:
        kind, usual = b.kinds[b.kind], b.kinds[b.usual]
        rate = max(np.float32(1.0) / np.float32(kind.count + 1), s.LEARN_LEAST)
        f[F.KIND_EARLY] = kind.early
        f[F.KIND_SPREAD] = kind.spread / (usual.spread + s.TINY)
        f[F.KIND_DIST] = kinds.between(leads, b.kind, b.usual)
        kind.early += rate * (min(f[F.PRE_MED], np.float32(2.0)) - kind.early)
    if has_next:
        f[F.NEXT_DIST] = b.next[F.DIST]
        f[F.WITH_NEXT] = apart(leads, True)
    if f[F.BLIND] == 0.0:
        if post_s > SHORT_S:
            t_waves(b, leads)
        own = b.kind == b.usual and b.last_kind == b.usual and f[F.PACED] == 0.0
        if own and intervals.usable(b.pre_s):
            b.nn[b.n_nn % RR_KEPT] = b.pre_s
            b.n_nn += 1
    return med


@njit(**KERNEL)
def tell(b, leads, post_s, has_next, out):  # type: ignore[no-untyped-def]
    """Steps 6 and 7. Write the row of the held beat, with its class; nothing is held afterwards.

    To be called at analysis sample `b.due`, too, with `LAST_CALL_S`: then no beat came in time.

    post_s : interval to the next beat; has_next : whether there is one
    out : the forests of the scores "ventricular" and "supraventricular", log odds; BEAT [n_rows],
    classified beats; float32 [n_rows or 0, N_FACTS], what was known of them
    """
    ventricular, supraventricular, rows, facts = out
    complete(b, leads, post_s, has_next)
    row = rows[b.n_told]
    copy_row(b.row, row)
    code, b.ventricular = classify(b.facts, b.ventricular, ventricular, supraventricular)
    row.code = row.aami = code
    if row.code == PACED:
        row.aami = _Q
    if b.facts[F.BLIND] == 0.0:
        row.qrs_ms = b.facts[F.WIDTH_MS]
    if facts.shape[0] > 0:  # for training
        for j in range(N_FACTS):
            facts[b.n_told, j] = b.facts[j]
    b.n_told += 1
    b.due = NEVER


@njit(**KERNEL)
def hold(b, leads, kind, fiducial, rr_s):  # type: ignore[no-untyped-def]
    """The beat found now becomes the one that waits for its class."""
    prev_dist = b.facts[F.DIST]
    for j in range(N_FACTS):
        b.facts[j] = b.next[j]
    for i in range(leads.size):
        shape = leads[i].shape
        s.copy_seen(shape.held, shape.before)
        s.copy_seen(shape.now, shape.held)
    b.facts[F.PREV_DIST] = prev_dist
    b.facts[F.WITH_PREV] = apart(leads, False)
    b.prev_s, b.pre_s = b.pre_s, rr_s
    b.last_kind, b.kind = b.kind, kind
    b.at = fiducial
    b.due = round(fiducial) + LAST_CALL


@njit(**KERNEL)
def found(b, leads, fiducial, n, row, out):  # type: ignore[no-untyped-def]
    """A beat was found at analysis sample `n`: look at it, and tell the class of the one before.

    row : BEAT, what is known of it so far; out : as `tell` has it
    """
    kind, rr_s = find(b, leads, fiducial, n, row.flags & _FLAG_PACED != 0)
    if b.due != NEVER:
        tell(b, leads, rr_s, True, out)
    hold(b, leads, kind, fiducial, rr_s)
    copy_row(row, b.row)


@njit(**KERNEL)
def copy_row(source, target):  # type: ignore[no-untyped-def]
    """Set one row of the table of beats to another."""
    target.sample, target.t_ns = source.sample, source.t_ns
    target.rr_s, target.qrs_ms, target.confidence = source.rr_s, source.qrs_ms, source.confidence
    target.flags, target.code, target.aami = source.flags, source.code, source.aami
    target.lead = source.lead
