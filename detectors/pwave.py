"""What stands before the QRS complex of each beat, a lead: a P wave, f waves, a pacing pulse.

The stretch from 280 to 60 ms before the R peak is averaged over beats that are not ventricular. P
waves come at the same place each time and stay in the average; f waves of atrial fibrillation do
not and cancel out. So the power of the average over the mean power of the stretches tells one from
the other (coherence; compare the P-wave absence of Slocum et al. 1992, Babaeizadeh et al. 2009).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dsp.memory import KERNEL
from ecg.codes import QualityCode

FROM, EVERY, SIZE = 70, 2, 28  # analysis samples before the R peak, of every other one
HELD = 2  # a beat's class may be known when the next one has been found
SAME = 5  # analysis samples: a device's own samples may lie so far apart
ENDS = 4  # samples at each end through whose means the baseline goes
RATE = np.float32(1.0 / 12.0)  # a beat
OLDEST = 180  # analysis samples from the R peak to its finding; beats found by search-back may be
# older, and what stood before them may have left the ring, depending on how the stream is cut
QRS_HALF = 12  # analysis samples on both sides of the R peak: 50 ms

PULSE_MV = np.float32(0.2)  # edge of a pacing pulse within 8 ms
PULSE_FROM, PULSE_END = 50, 15  # analysis samples around the R peak where it is sought
PULSE_QUIET = np.float32(0.15)  # of the edge: nothing steeper in the 20 ms before
PULSE_WHOLE = np.float32(0.66)  # of the rise within 16 ms: a QRS complex rises more slowly

MARKS = 32  # pulses held back that are kept; 80 ms apart they reach beyond a block and a beat
MARKS_APART = 20  # analysis samples
NEVER = -(1 << 40)

_USABLE = int(QualityCode.USABLE)

PRELUDE = np.dtype(
    [
        ("marks", "i8", (MARKS,)),  # where the front end held a pulse back, analysis samples
        ("n_marks", "i8"),
        ("stretch", "f4", (HELD, SIZE)),  # of the beats that were found last, mV, in turns
        ("there", "u1", (HELD,)),
        ("at", "i8", (HELD,)),  # their R peaks, analysis samples
        ("turn", "i4"),
        ("qrs_mv", "f4"),  # height of QRS complexes, slowly moving
        ("pulse_mv", "f4"),  # edge of the pulse before that beat; 0: none
        ("is_marked", "u1"),  # a pulse was held back before that beat
        ("template", "f4", (SIZE,)),
        ("count", "i4"),
        ("power", "f4"),  # mean over beats of the stretch's power, mV²
        ("likeness", "f4"),  # mean correlation of a stretch with the template before it
        ("rest_mv", "f4"),  # mean RMS of what the template leaves
    ],
    align=True,
)


@njit(**KERNEL)
def mark(it, at):  # type: ignore[no-untyped-def]
    """Note a pulse that the front end held back, at analysis sample `at`."""
    last = it.marks[(it.n_marks - 1) % MARKS] if it.n_marks > 0 else NEVER
    if at >= last + MARKS_APART:
        it.marks[it.n_marks % MARKS] = at
        it.n_marks += 1


@njit(**KERNEL)
def _has_mark(it, r):  # type: ignore[no-untyped-def]
    """Whether a pulse was held back about the R peak at analysis sample `r`."""
    there = False
    for k in range(min(it.n_marks, MARKS)):
        there = there or r - PULSE_FROM <= it.marks[k] < r + PULSE_END
    return there


@njit(**KERNEL)
def pulses(leads):  # type: ignore[no-untyped-def]
    """Share of the leads that show a pacing pulse before the beat captured last, 0 to 1.

    One that a front end held back stands far out: it counts alone. In noise there are edges of any
    kind: it shows none.
    """
    seen, is_marked = 0, False
    for i in range(leads.size):
        if leads[i].second.code == _USABLE:
            is_marked = is_marked or leads[i].prelude.is_marked == 1
            seen += leads[i].prelude.pulse_mv > 0.0
    return np.float32(1.0) if is_marked else np.float32(seen / leads.size)


@njit(**KERNEL)
def cut(signal, r, stretch):  # type: ignore[no-untyped-def]
    """What stands before an R peak at `r`, smoothed, without the line between its ends.

    stretch : float32 [SIZE], filled
    """
    mask = signal.size - 1
    half, quarter = np.float32(0.5), np.float32(0.25)
    for i in range(SIZE):
        j = r - FROM + EVERY * i
        sides = signal[(j - 1) & mask] + signal[(j + 1) & mask]
        stretch[i] = half * signal[j & mask] + quarter * sides
    left, right = np.float32(0.0), np.float32(0.0)
    for i in range(ENDS):
        left += stretch[i]
        right += stretch[SIZE - 1 - i]
    left, right = left / np.float32(ENDS), right / np.float32(ENDS)
    for i in range(SIZE):
        stretch[i] -= left + (right - left) * np.float32(i / (SIZE - 1))


@njit(**KERNEL)
def capture(lead, r, n):  # type: ignore[no-untyped-def]
    """Take the stretch before the beat at analysis sample `r`, found at `n`, out of the ring."""
    it, signal, mask = lead.prelude, lead.signal, lead.signal.size - 1
    it.turn = turn = (it.turn + 1) % HELD
    it.there[turn], it.at[turn] = 0, r
    it.pulse_mv = np.float32(0.0)
    it.is_marked = n - r <= OLDEST and _has_mark(it, r)
    gone = lead.absent.size - 1
    if r < FROM + 2 or n - r > OLDEST:
        return
    if lead.absent[(r - FROM) & gone] or lead.absent[r & gone]:
        return
    cut(signal, r, it.stretch[turn])
    it.there[turn] = 1
    low, high = signal[r & mask], signal[r & mask]
    for i in range(r - QRS_HALF, min(r + QRS_HALF, n) + 1):
        low, high = min(low, signal[i & mask]), max(high, signal[i & mask])
    rate = RATE if it.qrs_mv > 0.0 else np.float32(1.0)
    it.qrs_mv += rate * (high - low - it.qrs_mv)
    it.pulse_mv = _pulse(signal, r, n)


@njit(**KERNEL)
def _pulse(signal, r, n):  # type: ignore[no-untyped-def]
    """Steepest edge of a pacing pulse about the R peak, mV in 8 ms; 0 when there is none.

    A pulse rises within 8 ms out of a quiet line; a QRS complex takes longer, and has begun before
    it is steepest.
    """
    mask = signal.size - 1
    best = np.float32(0.0)
    before = np.float32(0.0)
    here = abs(signal[(r - PULSE_FROM) & mask] - signal[(r - PULSE_FROM - 2) & mask])
    for i in range(r - PULSE_FROM, min(r + PULSE_END, n - 2)):
        after = abs(signal[(i + 1) & mask] - signal[(i - 1) & mask])
        edge, last = here, before
        before, here = here, after
        if edge < PULSE_MV or edge < last or edge < after or edge <= best:
            continue
        rise = abs(signal[(i + 1) & mask] - signal[(i - 3) & mask])
        if edge <= PULSE_WHOLE * rise:
            continue
        steepest = np.float32(0.0)
        for j in range(i - 8, i - 3):
            steepest = max(steepest, abs(signal[j & mask] - signal[(j - 2) & mask]))
        if steepest < PULSE_QUIET * edge:
            best = edge
    return best


@njit(**KERNEL)
def learn(lead, at):  # type: ignore[no-untyped-def]
    """Take the stretch before the beat at analysis sample `at` into the average, if it is held."""
    it = lead.prelude
    slot = it.turn
    if abs(it.at[slot] - at) > SAME:
        slot = (it.turn + 1) % HELD
    if it.there[slot] == 0 or abs(it.at[slot] - at) > SAME:
        return
    power, both, own, apart = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for i in range(SIZE):
        x, t = it.stretch[slot, i], it.template[i]
        power += x * x
        both += x * t
        own += t * t
        apart += (x - t) * (x - t)
    it.count += 1
    one = np.float32(1.0)
    if it.count > 1:
        like = both / (math.sqrt(power * own) + np.float32(1e-9))
        it.likeness += max(RATE, one / np.float32(it.count - 1)) * (like - it.likeness)
    rate = max(RATE, one / np.float32(it.count))
    it.power += rate * (power - it.power)
    it.rest_mv += rate * (np.float32(math.sqrt(apart / np.float32(SIZE))) - it.rest_mv)
    for i in range(SIZE):
        it.template[i] += rate * (it.stretch[slot, i] - it.template[i])


@njit(**KERNEL)
def coherence(lead):  # type: ignore[no-untyped-def]
    """Power of the average over the mean power of the stretches, 0 to 1, and its height, mV."""
    it = lead.prelude
    own, low, high = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for i in range(SIZE):
        t = it.template[i]
        own += t * t
        low, high = min(low, t), max(high, t)
    return own / (it.power + np.float32(1e-9)), high - low
