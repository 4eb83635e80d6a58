"""The class of each beat: what is known about it, gathered as the stream goes on.

A beat is looked at twice: when it is found (`found`: its shape, against the patient's own beats), and
when the next one is, or none came in time (`judge`: its place among the others). Then its class is
told, and is final.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numba import njit

from detectors import shape as s
from dsp.features import median
from dsp.resample import ANALYSIS_HZ

RR_KEPT = 16
LAST_CALL = 425  # analysis samples (1.7 s) after which no next beat is waited for
LONGEST_RR_S = np.float32(2.5)
FORGET = np.float32(1.0 - 1.0 / 300.0)  # a beat
EARLY = np.float32(0.87)  # of the recent mean interval: the beat has come early
QUICK = np.float32(0.02)  # step of the slow median
NEAR = np.float32(0.13)
MISSES_EARLY, MISSES_LATE = 60, 16
ONE_KIND = np.float32(0.06)
NONE = -1


class F(IntEnum):
    """What the classifier is told of a beat, by position."""

    PRE_MED = 0
    PRE_SLOW = 1
    PRE_NN = 2
    PRE_MEAN = 3
    PRE_PREV = 4
    PRE_PREV2 = 5
    POST_MED = 6
    POST_PRE = 7
    PAIR = 8
    PREV_MED = 9
    PREV2_MED = 10
    IRREGULAR = 11
    IRREGULAR_NN = 12
    MED_S = 13
    PRE_S = 14
    PRE_LEAST = 15
    PRE_MOST = 16
    NO_NEXT = 17
    DIST = 18
    CORR = 19
    CORR_LOW = 20
    CORR_HIGH = 21
    OWN_DIST = 22
    GAIN = 23
    GAIN_HIGH = 24
    SPREAD_RATIO = 25
    SPREAD_HIGH = 26
    SPREAD_MS = 27
    WIDTH_MS = 28
    SLOPE_RATIO = 29
    AREA_RATIO = 30
    FIRST_MS = 31
    P_CORR = 32
    P_CORR_HIGH = 33
    P_GAIN = 34
    P_REST = 35
    P_PATIENT = 36
    T_CORR = 37
    T_GAIN = 38
    SHARE = 39
    CALM_SHARE = 40
    COUNT = 41
    SINCE = 42
    KIND_EARLY = 43
    KIND_LATE = 44
    KIND_SPREAD = 45
    USUAL = 46
    KIND_DIST = 47
    PREV_DIST = 48
    NEXT_DIST = 49
    PREV2_DIST = 50
    WITH_PREV = 51
    WITH_NEXT = 52
    NOISE = 53
    WEIGHT = 54
    CONFIDENCE = 55
    BLIND = 56
    PRE_REF = 57
    POST_REF = 58
    RUN = 59
    RUN_P = 60
    RUN_DIST = 61
    SCATTER = 62
    DIST_REL = 63
    P_REL = 64
    SEEN = 65


N_FEATURES = len(F)
_SHAPE_FROM, _SHAPE_END, _ALL_END = int(F.DIST), int(F.T_CORR), int(F.PRE_REF)

BEATS = np.dtype(
    [
        ("kinds", s.KIND, (s.KINDS,)),
        ("usual", "i4"),  # the kind that is the patient's own beat
        ("n_seen", "i8"),
        ("rr", "f4", (RR_KEPT,)),
        ("n_rr", "i8"),
        ("nn", "f4", (RR_KEPT,)),  # intervals between usual beats
        ("n_nn", "i8"),
        ("scatter", "f4"),  # distance from the usual beat that three of four calm beats keep
        ("p_scatter", "f4"),
        ("ref_s", "f4"),  # the interval of the basic rhythm: neither early beats nor pauses move it
        ("misses", "i4"),  # intervals in a row that were far from it
        ("run", "i4"),  # early beats in a row
        ("run_p", "f4"),
        ("run_dist", "f4"),
        ("slow_s", "f4"),  # a median of some minutes
        ("mean_s", "f4"),  # of about 8 intervals
        ("pending", "i4"),  # a beat waits for its class
        ("at", "f8"),  # its fiducial, analysis samples
        ("due", "i8"),  # when it is told at the latest
        ("last_at", "f8"),  # fiducial of the last beat, pending or not
        ("pre_s", "f4"),
        ("prev_s", "f4"),
        ("prev2_s", "f4"),
        ("kind", "i4"),
        ("last_kind", "i4"),
        ("prev_dist", "f4"),
        ("prev2_dist", "f4"),
        ("with_prev", "f4"),
        ("features", "f4", (N_FEATURES,)),
        ("next", "f4", (N_FEATURES,)),  # of the beat that was found just now
    ],
    align=True,
)
"""Memory of the patient's beats."""


@njit(cache=True, nogil=True)
def begin(b):  # type: ignore[no-untyped-def]
    """A patient of whom no beat has been seen."""
    b.usual = b.kind = b.last_kind = NONE
    b.last_at = math.nan
    b.scatter, b.p_scatter = np.float32(0.05), np.float32(0.1)
    b.due = 1 << 62


@njit(cache=True, nogil=True)
def look(leads, r, n):  # type: ignore[no-untyped-def]
    """Take the beat at sample `r` out of the rings and measure it; give the greatest weight."""
    best = np.float32(0.0)
    blind = r < n - s.OLDEST
    for i in range(leads.size):
        lead, shape = leads[i], leads[i].shape
        if blind or lead.absent[r & (lead.absent.size - 1)]:
            shape.now.weight = np.float32(0.0)
            continue
        s.snapshot(shape.raw, lead.signal, r, n)
        s.measure(shape)
        s.cut(shape, 0)
        level = np.float32(math.sqrt(shape.now.power / s.QRS_SIZE)) + s.TINY
        shape.now.noise /= level
        ratio = shape.now.noise * np.float32(10.0)
        shape.now.weight = max(lead.second.sqi, np.float32(0.02)) / (
            np.float32(1.0) + ratio * ratio
        )
        best = max(best, shape.now.weight)
    return best


@njit(cache=True, nogil=True)
def sort_in(b, leads, early):  # type: ignore[no-untyped-def]
    """Find the kind of the beat being looked at, or make one; give kind and distance."""
    kind, nearest, shift = NONE, np.float32(9.0), 0
    for k in range(s.KINDS):
        if b.kinds[k].count == 0:
            continue
        apart, moved = s.align(leads, k)
        if apart < nearest:
            kind, nearest, shift = k, apart, moved
    for i in range(leads.size):
        if leads[i].shape.now.weight > 0.0:
            s.cut(leads[i].shape, shift)
    if nearest > s.SAME_KIND:
        kind, shift = NONE, 0
        least = np.float32(1e9)
        for k in range(s.KINDS):
            weight = b.kinds[k].weight
            if b.kinds[k].count == 0:
                weight = np.float32(-1.0)
            if k != b.usual and k != b.kind and weight < least:
                kind, least = k, weight
        new = b.kinds[kind]
        new.count, new.weight, new.calm = 0, np.float32(0.0), np.float32(0.0)
        new.early = new.late = np.float32(1.0)
        new.last = b.n_seen
    this = b.kinds[kind]
    rate = max(np.float32(1.0) / np.float32(this.count + 1), s.LEARN_LEAST)
    # the P wave of an early beat is not the patient's own
    p_rate = np.float32(0.0) if early and this.count > 0 else rate
    spread, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        shape = leads[i].shape
        if shape.now.weight > 0.0:
            s.learn(shape, kind, rate, p_rate)
            spread += shape.now.weight * shape.now.spread
            weights += shape.now.weight
    this.spread += rate * (spread / weights - this.spread)
    for k in range(s.KINDS):
        b.kinds[k].weight *= FORGET
        b.kinds[k].calm *= FORGET
    this.count += 1
    this.weight += np.float32(1.0)
    if not early:
        this.calm += np.float32(1.0)
    return kind, nearest


@njit(cache=True, nogil=True)
def merge(b, leads, kind):  # type: ignore[no-untyped-def]
    """Make one of two kinds that have become alike; give the number of the one that remains."""
    if b.usual == NONE or kind == b.usual or b.kinds[b.usual].count == 0:
        return kind
    if kind_apart(leads, kind, b.usual, True) > ONE_KIND:
        return kind
    a, c = b.kinds[b.usual], b.kinds[kind]
    a.early += c.weight / (a.weight + c.weight) * (c.early - a.early)
    a.late += c.weight / (a.weight + c.weight) * (c.late - a.late)
    a.count += c.count
    a.weight += c.weight
    a.calm += c.calm
    c.count = 0
    c.weight = c.calm = np.float32(0.0)
    if b.kind == kind:
        b.kind = b.usual
    if b.last_kind == kind:
        b.last_kind = b.usual
    return b.usual


@njit(cache=True, nogil=True)
def scatter(level, value):  # type: ignore[no-untyped-def]
    """Let the upper quartile of what is usual follow a value."""
    up = np.float32(1.09) if value > level else np.float32(0.97)
    return min(max(level * up, np.float32(0.004)), np.float32(0.5))


@njit(cache=True, nogil=True)
def choose_usual(b):  # type: ignore[no-untyped-def]
    """The patient's own kind: the one most often seen without coming early."""
    best = np.float32(-1.0)
    for k in range(s.KINDS):
        kind = b.kinds[k]
        if kind.count > 0:
            calm = kind.calm / (kind.weight + s.TINY)
            score = kind.calm * calm * calm / (kind.spread + np.float32(5.0))
            if score > best:
                best, b.usual = score, k


@njit(cache=True, nogil=True)
def compare(b, leads, f):  # type: ignore[no-untyped-def]
    """Features of the shape of the beat being looked at, against the usual one."""
    weights = s.TINY
    low, high = np.float32(2.0), np.float32(-2.0)
    gain_high, spread_high, p_high = np.float32(-9.0), np.float32(0.0), np.float32(-2.0)
    most = np.float32(0.0)
    for i in range(leads.size):
        most = max(most, leads[i].shape.now.weight)
    for j in range(_SHAPE_FROM, _SHAPE_END):
        f[j] = np.float32(0.0)
    f[F.NOISE] = np.float32(0.0)
    for i in range(leads.size):
        now = leads[i].shape.now
        w = now.weight
        if w <= 0.0:
            continue
        t = leads[i].shape.templates[b.usual]
        both = s.dot(now.qrs, 0, t.qrs, 0, s.QRS_SIZE)
        whole = now.power + t.power + s.TINY
        corr = s.likeness(both, now.power, t.power)
        gain = np.float32(0.5) * np.float32(math.log2((now.power + s.TINY) / (t.power + s.TINY)))
        spread = now.spread / (t.spread + s.TINY)
        p_power = s.dot(now.p, 0, now.p, 0, s.P_SIZE)
        p_usual = s.dot(t.p, 0, t.p, 0, s.P_SIZE)
        p_both = s.dot(now.p, 0, t.p, 0, s.P_SIZE)
        p_corr = s.likeness(p_both, p_power, p_usual)
        unit = t.power + s.TINY
        weights += w
        f[F.DIST] += w * (whole - np.float32(2.0) * both) / whole
        f[F.CORR] += w * corr
        f[F.GAIN] += w * gain
        f[F.SPREAD_RATIO] += w * spread
        f[F.SPREAD_MS] += w * now.spread
        f[F.SLOPE_RATIO] += w * now.slope / (t.slope + s.TINY)
        f[F.AREA_RATIO] += w * now.area / (t.area + s.TINY)
        f[F.P_CORR] += w * p_corr
        f[F.P_GAIN] += w * min(p_both / (p_usual + s.TINY), np.float32(4.0))
        apart = max(p_power + p_usual - np.float32(2.0) * p_both, np.float32(0.0))
        f[F.P_REST] += w * np.float32(math.sqrt(apart / unit))
        f[F.P_PATIENT] += w * np.float32(math.sqrt(p_usual / unit))
        f[F.NOISE] += w * now.noise
        if w > np.float32(0.3) * most:
            low, high = min(low, corr), max(high, corr)
            gain_high, spread_high = max(gain_high, gain), max(spread_high, spread)
            p_high = max(p_high, p_corr)
            f[F.WIDTH_MS] = max(f[F.WIDTH_MS], now.width)
            f[F.FIRST_MS] = min(f[F.FIRST_MS], now.first)
    for j in (F.DIST, F.CORR, F.GAIN, F.SPREAD_RATIO, F.SPREAD_MS, F.SLOPE_RATIO, F.AREA_RATIO):
        f[j] /= weights
    for j in (F.P_CORR, F.P_GAIN, F.P_REST, F.P_PATIENT, F.NOISE):
        f[j] /= weights
    f[F.CORR_LOW], f[F.CORR_HIGH] = low, high
    f[F.GAIN_HIGH], f[F.SPREAD_HIGH], f[F.P_CORR_HIGH] = gain_high, spread_high, p_high
    f[F.WEIGHT] = most


@njit(cache=True, nogil=True)
def apart(leads, other):  # type: ignore[no-untyped-def]
    """Distance of the held beat from the one before (`other` 0) or the one found now (1)."""
    total, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        shape = leads[i].shape
        it = shape.now if other == 1 else shape.before
        w = min(shape.held.weight, it.weight)
        if w > 0.0:
            both = s.dot(shape.held.qrs, 0, it.qrs, 0, s.QRS_SIZE)
            whole = shape.held.power + it.power + s.TINY
            total += w * (whole - np.float32(2.0) * both) / whole
            weights += w
    return total / weights


@njit(cache=True, nogil=True)
def kind_apart(leads, a, b, now):  # type: ignore[no-untyped-def]
    """Distance of two kinds."""
    total, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        x, y = leads[i].shape.templates[a], leads[i].shape.templates[b]
        w = leads[i].shape.now.weight if now else leads[i].shape.held.weight
        if w > 0.0:
            whole = x.power + y.power + s.TINY
            total += w * (whole - np.float32(2.0) * s.dot(x.qrs, 0, y.qrs, 0, s.QRS_SIZE)) / whole
            weights += w
    return total / weights


@njit(cache=True, nogil=True)
def irregularity(rr, n, level):  # type: ignore[no-untyped-def]
    """Median of the changes from interval to interval, in medians."""
    kept = min(n, RR_KEPT)
    if kept < 3:
        return np.float32(0.0)
    change = np.empty(RR_KEPT, np.float32)
    for k in range(kept - 1):
        change[k] = abs(rr[(n - 1 - k) % RR_KEPT] - rr[(n - 2 - k) % RR_KEPT])
    return median(change, kept - 1) / level


@njit(cache=True, nogil=True)
def follow(b, rr_s):  # type: ignore[no-untyped-def]
    """Let the basic rhythm follow an interval that is about as long, or give in to many others."""
    if abs(rr_s - b.ref_s) < NEAR * b.ref_s:
        b.ref_s += np.float32(0.125) * (rr_s - b.ref_s)
        b.misses = 0
        return
    b.misses += 1
    patience = MISSES_EARLY if rr_s < b.ref_s else MISSES_LATE
    if b.misses > (patience if b.n_rr > RR_KEPT else 4):
        b.ref_s = median(b.rr, min(b.n_rr, RR_KEPT))
        b.misses = 0


@njit(cache=True, nogil=True)
def keep_interval(b, rr_s):  # type: ignore[no-untyped-def]
    """Note the interval before the beat found now."""
    if not (rr_s > 0.0 and rr_s < LONGEST_RR_S):
        return
    if b.n_rr == 0:
        b.slow_s = b.mean_s = b.ref_s = rr_s
    b.rr[b.n_rr % RR_KEPT] = rr_s
    b.n_rr += 1
    follow(b, rr_s)
    b.mean_s += np.float32(0.125) * (rr_s - b.mean_s)
    rate = max(QUICK, np.float32(0.5) / np.float32(b.n_rr))
    b.slow_s += rate * b.slow_s * np.float32(np.sign(rr_s - b.slow_s))


@njit(cache=True, nogil=True)
def place(b, post_s, is_last, leads, f):  # type: ignore[no-untyped-def]
    """Features of the held beat's place among the others."""
    one = np.float32(1.0)
    kept = min(b.n_rr, RR_KEPT)
    med = median(b.rr, kept) if kept > 0 else one
    nn = median(b.nn, min(b.n_nn, RR_KEPT)) if b.n_nn > 3 else med
    slow = b.slow_s if b.n_rr > 0 else one
    pre = b.pre_s if b.pre_s > 0.0 and b.pre_s < LONGEST_RR_S else LONGEST_RR_S
    prev = b.prev_s if b.prev_s > 0.0 and b.prev_s < LONGEST_RR_S else med
    prev2 = b.prev2_s if b.prev2_s > 0.0 and b.prev2_s < LONGEST_RR_S else med
    if b.n_rr == 0:
        pre = one
    f[F.PRE_MED] = pre / med
    f[F.PRE_SLOW] = pre / slow
    f[F.PRE_NN] = pre / nn
    f[F.PRE_MEAN] = pre / (b.mean_s if b.n_rr > 0 else one)
    f[F.PRE_PREV] = pre / prev
    f[F.PRE_PREV2] = pre / prev2
    f[F.POST_MED] = post_s / med
    f[F.POST_REF] = post_s / b.ref_s if b.n_rr > 0 else one
    f[F.POST_PRE] = post_s / pre
    f[F.PAIR] = (pre + post_s) / (med + med)
    f[F.PREV_MED] = prev / med
    f[F.PREV2_MED] = prev2 / med
    f[F.IRREGULAR] = irregularity(b.rr, b.n_rr, med)
    f[F.IRREGULAR_NN] = irregularity(b.nn, b.n_nn, nn)
    f[F.MED_S] = med
    f[F.PRE_S] = pre
    least, most = pre, pre
    for k in range(min(kept, 9)):
        x = b.rr[(b.n_rr - 1 - k) % RR_KEPT]
        least, most = min(least, x), max(most, x)
    f[F.PRE_LEAST] = pre / least
    f[F.PRE_MOST] = pre / most
    f[F.NO_NEXT] = np.float32(is_last)
    kind, usual = b.kinds[b.kind], b.kinds[b.usual]
    whole = s.TINY
    for k in range(s.KINDS):
        if b.kinds[k].count > 0:
            whole += b.kinds[k].weight
    f[F.SHARE] = kind.weight / whole
    f[F.CALM_SHARE] = kind.calm / (kind.weight + s.TINY)
    f[F.COUNT] = np.float32(math.log2(kind.count + 1.0))
    f[F.KIND_EARLY] = kind.early
    f[F.KIND_LATE] = kind.late
    f[F.KIND_SPREAD] = kind.spread / (usual.spread + s.TINY)
    f[F.USUAL] = np.float32(b.kind == b.usual)
    f[F.KIND_DIST] = kind_apart(leads, b.kind, b.usual, False)
    f[F.PREV_DIST] = b.prev_dist
    f[F.PREV2_DIST] = b.prev2_dist
    f[F.WITH_PREV] = b.with_prev
    f[F.SEEN] = np.float32(math.log2(min(b.n_seen, 256) + 1.0))
    return med


@njit(cache=True, nogil=True)
def judge(b, leads, post_s, is_last):  # type: ignore[no-untyped-def]
    """Complete what is known about the held beat; afterwards `b.features` tells it."""
    f = b.features
    if b.kind == NONE:  # never seen a shape
        f[F.BLIND] = np.float32(1.0)
        b.kind = b.usual = 0
    med = place(b, post_s, is_last, leads, f)
    if is_last:
        f[F.NEXT_DIST] = f[F.WITH_NEXT] = np.float32(0.0)
    else:
        f[F.NEXT_DIST] = b.next[F.DIST]
        f[F.WITH_NEXT] = apart(leads, 1)
    kind = b.kinds[b.kind]
    rate = max(np.float32(1.0) / np.float32(kind.count + 1), s.LEARN_LEAST)
    kind.early += rate * (min(f[F.PRE_MED], np.float32(2.0)) - kind.early)
    kind.late += rate * (min(f[F.POST_MED], np.float32(2.5)) - kind.late)
    # T wave: not where the next beat has begun
    f[F.T_CORR] = f[F.T_GAIN] = np.float32(0.0)
    if f[F.BLIND] == 0.0 and post_s > 0.5:
        weights = s.TINY
        t = np.empty(s.T_SIZE, np.float32)
        for i in range(leads.size):
            lead, shape = leads[i], leads[i].shape
            w = shape.held.weight
            if w <= 0.0:
                continue
            s.t_wave(lead.signal, round(b.at), t)
            usual = shape.templates[b.usual]
            power = s.dot(t, 0, t, 0, s.T_SIZE)
            power_usual = s.dot(usual.t, 0, usual.t, 0, s.T_SIZE)
            both = s.dot(t, 0, usual.t, 0, s.T_SIZE)
            f[F.T_CORR] += w * s.likeness(both, power, power_usual)
            f[F.T_GAIN] += w * np.float32(math.sqrt(power / (usual.power + s.TINY)))
            weights += w
            own = shape.templates[b.kind]
            own.t_count += 1
            r = max(np.float32(1.0) / np.float32(own.t_count), s.LEARN_LEAST)
            for k in range(s.T_SIZE):
                own.t[k] += r * (t[k] - own.t[k])
        f[F.T_CORR] /= weights
        f[F.T_GAIN] /= weights
    if b.kind == b.usual and b.last_kind == b.usual and f[F.BLIND] == 0.0:
        pre = b.pre_s
        if pre > 0.0 and pre < LONGEST_RR_S:
            b.nn[b.n_nn % RR_KEPT] = pre
            b.n_nn += 1
    b.pending = 0
    b.due = 1 << 62
    return med


@njit(cache=True, nogil=True)
def copy_seen(a, b):  # type: ignore[no-untyped-def]
    """Set `b` to `a`."""
    for k in range(s.QRS_SIZE):
        b.qrs[k] = a.qrs[k]
    b.power, b.weight = a.power, a.weight


@njit(cache=True, nogil=True)
def found(b, leads, fiducial, n, confidence):  # type: ignore[no-untyped-def]
    """A beat was found: look at it. Call `judge` on a pending beat next, then `hold`."""
    r = round(fiducial)
    rr_s = np.float32((fiducial - b.last_at) / ANALYSIS_HZ)
    best = look(leads, r, n)
    f = b.next
    known = rr_s > 0.0 and rr_s < LONGEST_RR_S
    ref_s = b.ref_s
    early = known and b.n_rr > 0 and rr_s < EARLY * ref_s
    f[F.PRE_REF] = rr_s / ref_s if known and b.n_rr > 0 else np.float32(1.0)
    keep_interval(b, rr_s)
    b.n_seen += 1
    if best > 0.0:
        kind, nearest = sort_in(b, leads, early)
        kind = merge(b, leads, kind)
        choose_usual(b)
        compare(b, leads, f)
        f[F.SCATTER] = b.scatter
        f[F.DIST_REL] = np.float32(
            math.log2((f[F.DIST] + np.float32(0.005)) / (b.scatter + np.float32(0.005)))
        )
        f[F.P_REL] = np.float32(
            math.log2((f[F.P_REST] + np.float32(0.01)) / (b.p_scatter + np.float32(0.01)))
        )
        if not early:
            b.scatter = scatter(b.scatter, f[F.DIST])
            b.p_scatter = scatter(b.p_scatter, f[F.P_REST])
        f[F.OWN_DIST] = min(nearest, np.float32(2.0))
        f[F.BLIND] = np.float32(0.0)
        f[F.SINCE] = np.float32(math.log2(b.n_seen - b.kinds[kind].last + 1.0))
        b.kinds[kind].last = b.n_seen
    else:
        kind = b.usual
        for j in range(_SHAPE_FROM, _ALL_END):
            f[j] = np.float32(0.0)
        f[F.SCATTER], f[F.DIST_REL], f[F.P_REL] = b.scatter, np.float32(0.0), np.float32(0.0)
        f[F.BLIND] = np.float32(1.0)
    f[F.CONFIDENCE] = confidence
    b.run = b.run + 1 if early else 0
    if b.run <= 1:
        b.run_p = b.run_dist = np.float32(0.0)
    if early:
        b.run_p += (f[F.P_CORR] - b.run_p) / np.float32(b.run)
        b.run_dist += (f[F.DIST] - b.run_dist) / np.float32(b.run)
    f[F.RUN] = np.float32(math.log2(b.run + 1.0))
    f[F.RUN_P], f[F.RUN_DIST] = b.run_p, b.run_dist
    return kind, rr_s


@njit(cache=True, nogil=True)
def hold(b, leads, kind, fiducial, rr_s):  # type: ignore[no-untyped-def]
    """The beat found now becomes the one that waits for its class."""
    b.prev2_dist = b.prev_dist
    b.prev_dist = b.features[F.DIST]
    for j in range(N_FEATURES):
        b.features[j] = b.next[j]
    for i in range(leads.size):
        shape = leads[i].shape
        copy_seen(shape.held, shape.before)
        copy_seen(shape.now, shape.held)
    b.with_prev = apart(leads, 0)
    b.prev2_s, b.prev_s, b.pre_s = b.prev_s, b.pre_s, rr_s
    b.last_kind, b.kind = b.kind, kind
    b.at = b.last_at = fiducial
    b.due = round(fiducial) + LAST_CALL
    b.pending = 1
