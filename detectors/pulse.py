"""Pulses of a plethysmogram (PPG) or an arterial pressure, sample by sample.

After Zong, Heldt, Moody & Mark 2003 ("An open-source algorithm to detect onset of arterial blood
pressure pulses", Computers in Cardiology 30:259): a pulse is where the sum of the rises of the
last 160 ms is large. Changed against it: heights are told from the median of the last pulses, so
that no unit need be known; the fiducial is the half of the upstroke, which noise moves less than
the onset; a pulse is compared with the mean of those before it, after Li & Clifford 2012
("Dynamic time warping and machine learning for signal quality assessment of pulsatile signals",
Physiol Meas 33:1491), by plain correlation. Times are analysis samples of 4 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from detectors.pulse_state import CHANNEL, KEPT, RING, SHAPE, pulse_state
from dsp.features import median
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ, MAX_HZ, MIN_HZ
from ecg import QUALITY, BadSignal
from ecg.codes import QualityCode
from ecg.evidence import PULSE

SECOND = int(ANALYSIS_HZ)
SMOOTH = 10  # 40 ms, twice: a pulse has nothing above 10 Hz
RISE = 40  # 160 ms: the upstroke of a pulse (Zong et al.: 128 ms, of pressure alone)
REFRACTORY = 60  # 240 ms: 250 pulses a minute
LOOK_BACK = 30  # 120 ms before the half of the upstroke
LOOK_AHEAD = 70  # 280 ms after it: 20 points of 20 ms make the shape of a pulse
STEP = (LOOK_BACK + LOOK_AHEAD) // SHAPE
LEARNING = 4  # pulses
SHARE = np.float32(0.45)  # of the usual height of the slope sum: a dicrotic wave stays below
LOWEST = np.float32(0.2)  # to which that falls when no pulse comes
PATIENCE = 500  # 2 s; then it falls, time constant 2 s
RELEARN = 1500  # 6 s without a pulse
FALL = np.float32(1.0 / 750.0)  # of the ceiling, a sample
LEARNING_SHARE = np.float32(0.5)  # of the ceiling
SHAPE_RATE = np.float32(0.125)  # a pulse
ALIKE = np.float32(0.6)  # less like the shape than this teaches it nothing
_NEVER = -(10**9)

_USABLE = int(QualityCode.USABLE)
_FLAT = int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)
_SATURATED = int(QualityCode.SATURATED)


@njit(**KERNEL)
def _value(c, k, x):  # type: ignore[no-untyped-def]
    """Analysis sample `k` into the rings: smooth signal and slope sum."""
    mask = RING - 1
    c.raw[k & mask] = x
    c.sum_a += np.float64(x) - np.float64(c.raw[(k - SMOOTH) & mask])
    a = np.float32(c.sum_a / SMOOTH)
    c.half[k & mask] = a
    c.sum_b += np.float64(a) - np.float64(c.half[(k - SMOOTH) & mask])
    y = np.float32(c.sum_b / SMOOTH)
    c.smooth[k & mask] = y
    rise = max(y - c.smooth[(k - 1) & mask], np.float32(0.0))
    c.sum_r += np.float64(rise) - np.float64(c.rise[(k - RISE) & mask])
    c.rise[k & mask] = rise
    c.slope_sum[k & mask] = np.float32(c.sum_r)


@njit(**KERNEL)
def _threshold(c, k):  # type: ignore[no-untyped-def]
    """Slope sum above which there is a pulse."""
    if k - c.last_at > RELEARN:  # what was learned may have been a flush or a calibration
        c.n_pulses = 0
    if c.n_pulses < LEARNING:
        return LEARNING_SHARE * c.ceiling
    level = SHARE * c.usual
    late = k - c.last_at - PATIENCE
    if late > 0:
        level = max(level * np.float32(math.exp(-late / 500.0)), LOWEST * c.usual)
    return level


@njit(**KERNEL)
def _half_rise(c, top_at):  # type: ignore[no-untyped-def]
    """Sample where the signal passed half of the rise that ends about `top_at`."""
    mask = RING - 1
    at = top_at
    for j in range(1, RISE + LOOK_BACK):
        if c.smooth[(top_at - j) & mask] <= c.smooth[at & mask]:
            at = top_at - j
    low = high = c.smooth[at & mask]
    for j in range(at, top_at + 1):
        high = max(high, c.smooth[j & mask])
    while at < top_at and c.smooth[at & mask] < (low + high) / 2:
        at += 1
    return at


@njit(**KERNEL)
def _likeness(c, at):  # type: ignore[no-untyped-def]
    """Correlation of the pulse at `at` with the mean of those before, or with the last one.

    With the last one, too: a mean that was learned from a flush or a calibration is unlike
    every pulse that follows.
    """
    mask = RING - 1
    mean, power = np.float32(0.0), np.float64(1e-12)
    for j in range(SHAPE):
        c.piece[j] = c.smooth[(at - LOOK_BACK + j * STEP) & mask]
        mean += c.piece[j]
    mean /= SHAPE
    for j in range(SHAPE):
        c.piece[j] -= mean
        power += c.piece[j] * c.piece[j]
    to_mean, to_last, own = np.float64(0.0), np.float64(0.0), np.float64(1e-12)
    for j in range(SHAPE):
        c.piece[j] *= np.float32(1.0 / math.sqrt(power))
        to_mean += c.piece[j] * c.shape[j]
        to_last += c.piece[j] * c.last[j]
        own += c.shape[j] * c.shape[j]
    alike = np.float32(max(to_mean / math.sqrt(own), to_last, 0.0))
    if c.n_pulses == 0:
        alike = np.float32(0.5)
    rate = SHAPE_RATE if c.n_pulses > 0 else np.float32(1.0)
    for j in range(SHAPE):
        if alike > ALIKE or c.n_pulses < LEARNING:
            c.shape[j] += rate * (c.piece[j] - c.shape[j])
        c.last[j] = c.piece[j]
    return alike


@njit(**KERNEL)
def _measure(c, at, k):  # type: ignore[no-untyped-def]
    """Foot and top of the pulse at `at`, of the smoothed signal."""
    mask = RING - 1
    low, high = c.smooth[at & mask], c.smooth[at & mask]
    for j in range(LOOK_BACK + 20):
        low = min(low, c.smooth[(at - j) & mask])
    for j in range(min(LOOK_AHEAD, k - at) + 1):
        high = max(high, c.smooth[(at + j) & mask])
    return low, high


@njit(**KERNEL)
def _judge(c, at, k, head, channel, row):  # type: ignore[no-untyped-def]
    """Fill the row of the pulse whose half rise was at `at`."""
    low, high = _measure(c, at, k)
    alike = _likeness(c, at)
    height = high - low
    kept = min(c.n_pulses, KEPT)
    usual = median(c.heights, kept)
    fit = np.float32(1.0)
    if kept >= LEARNING and usual > 0.0:
        ratio = height / usual
        # half to twice as high as the others is nothing special
        fit = min(np.float32(1.0), min(2.0 * ratio, 2.0 / max(ratio, np.float32(1e-6))))
    for j in range(LOOK_BACK + LOOK_AHEAD):
        if c.absent[(at - LOOK_BACK + j) & (RING - 1)]:
            fit = np.float32(0.0)
    c.heights[c.n_pulses % KEPT] = height
    c.tops[c.n_pulses % KEPT] = c.top
    c.n_pulses += 1
    c.usual = median(c.tops, min(c.n_pulses, KEPT))
    # the smoothed signal lags
    place = at - (SMOOTH - 1)
    row.sample = round(place * head.fs_hz / ANALYSIS_HZ)
    row.t_ns = head.start_ns + round(row.sample * 1e9 / head.fs_hz)
    row.interval_s = math.nan
    if c.last_at != _NEVER:
        row.interval_s = np.float32((at - c.last_at) / ANALYSIS_HZ)
    row.height, row.top = height, high
    row.quality = alike * fit
    row.channel = channel
    c.last_at = at


@njit(**KERNEL)
def _decide(c, k, head, channel, rows, n_rows):  # type: ignore[no-untyped-def]
    """Pulses that analysis sample `k` makes known."""
    mask = RING - 1
    s = c.slope_sum[k & mask]
    c.ceiling = max(s, c.ceiling - FALL * c.ceiling)
    if c.rising:
        if s > c.top:
            c.top, c.top_at = s, k
        if s < np.float32(0.6) * c.top or k - c.top_at > RISE:
            c.rising = 0
            at = _half_rise(c, c.top_at)
            if at - c.last_at >= REFRACTORY and c.pending == 0:
                c.pending = at
            c.quiet = 0
    elif s < _threshold(c, k):
        c.quiet = 1
    elif c.quiet and c.pending == 0 and s > 0.0:
        c.rising, c.top, c.top_at = 1, s, k
    if c.pending != 0 and k - c.pending >= LOOK_AHEAD:
        _judge(c, c.pending, k, head, channel, rows[n_rows])
        c.pending = 0
        n_rows += 1
    return n_rows


@njit(**KERNEL)
def _gather(c, k):  # type: ignore[no-untyped-def]
    """Gather what tells whether the second is usable."""
    x, before = c.raw[k & (RING - 1)], c.raw[(k - 1) & (RING - 1)]
    c.missing += c.absent[k & (RING - 1)]
    c.low, c.high = min(c.low, x), max(c.high, x)
    c.repeats += abs(x - before) <= np.float32(1e-6) * abs(x)


@njit(**KERNEL)
def begin_second(c):  # type: ignore[no-untyped-def]
    """Begin a second."""
    c.missing = c.repeats = 0
    c.low, c.high = np.float32(math.inf), np.float32(-math.inf)


@njit(**KERNEL)
def _second(c, k, head, channel, row):  # type: ignore[no-untyped-def]
    """Row of the second that has ended with analysis sample `k`."""
    row.sample = round((k + 1 - SECOND) * head.fs_hz / ANALYSIS_HZ)
    row.t_ns = head.start_ns + round(row.sample * 1e9 / head.fs_hz)
    row.lead = channel
    code = _USABLE
    if c.missing > SECOND // 4:
        code = _OFF
    elif c.repeats > SECOND - SECOND // 10 or c.high <= c.low:
        code = _FLAT
    elif c.repeats > SECOND // 3:
        code = _SATURATED
    row.code = code
    row.sqi = np.float32(1.0) if code == _USABLE else np.float32(0.0)
    begin_second(c)


@njit(**KERNEL)
def _take(c, x):  # type: ignore[no-untyped-def]
    """The next input; what is missing is held."""
    c.before = c.held
    if math.isfinite(x):
        c.held = x
        c.gap = 0
        if c.started == 0:
            # the filters begin as if the signal had always been there
            c.started = 1
            c.before = x
            for j in range(RING):
                c.raw[j] = c.half[j] = c.smooth[j] = x
            c.sum_a = c.sum_b = np.float64(x) * SMOOTH
    else:
        c.gap += 1


@njit(**KERNEL)
def advance(head, channels, x, step, pulses, seconds):  # type: ignore[no-untyped-def]
    """Take a chunk of inputs; write what becomes known; give the counts of rows written.

    Analysis samples lie on the line between two inputs: a pulse has nothing that asks for more.
    """
    n_pulses, n_seconds = 0, 0
    mask = RING - 1
    n = head.n
    for i in range(x.shape[1]):
        for j in range(channels.size):
            _take(channels[j], x[j, i])
        at = n * step
        while at <= head.n_in:
            part = np.float32(head.n_in - at)
            for j in range(channels.size):
                c = channels[j]
                c.absent[n & mask] = c.gap > 0 or c.started == 0
                _value(c, n, c.held + part * (c.before - c.held))
                _gather(c, n)
                n_pulses = _decide(c, n, head, j, pulses, n_pulses)
                if (n + 1) % SECOND == 0:
                    _second(c, n, head, j, seconds[n_seconds])
                    n_seconds += 1
            n += 1
            at = n * step
        head.n_in += 1
    head.n = n
    return n_pulses, n_seconds


@njit(**KERNEL)
def begin(channels):  # type: ignore[no-untyped-def]
    """Channels that have seen nothing."""
    for j in range(channels.size):
        channels[j].last_at = _NEVER
        begin_second(channels[j])


class PulseAnalyzer:
    """Streaming pulses of one patient; two verbs, as `Analyzer`.

    Parameters
    ----------
    fs_hz : float
        Sampling rate, 100 to 1,000 Hz.
    n_channels : int
        Pressures and light signals together.
    start_ns : int
        Time of the first sample, ns since the Unix epoch (UTC).

    Raises
    ------
    BadSignal
        For a rate or a number of channels that cannot be analysed.

    Examples
    --------
    >>> import numpy as np
    >>> t_s = np.arange(2500) / 250
    >>> wave = np.maximum(0, np.sin(2 * np.pi * 1.25 * t_s)).astype(np.float32)
    >>> pulses, _ = PulseAnalyzer(250, 1).push(wave[None, :])
    >>> round(float(np.median(pulses["interval_s"][1:])), 2)
    0.8
    """

    def __init__(self, fs_hz: float, n_channels: int, start_ns: int = 0) -> None:
        if not MIN_HZ <= fs_hz <= MAX_HZ:
            raise BadSignal(f"sampling rate is {fs_hz} Hz; resample to {MIN_HZ:g} to {MAX_HZ:g} Hz")
        if not 1 <= n_channels <= 8:
            raise BadSignal(f"{n_channels} pulse channels; give 1 to 8")
        self.state = np.zeros(1, pulse_state(n_channels))
        head = self.state["head"]
        head["n_channels"], head["fs_hz"], head["start_ns"] = n_channels, fs_hz, start_ns
        begin(self.state["channels"][0])

    @classmethod
    def restore(cls, blob: bytes) -> PulseAnalyzer:
        """The analyzer whose `state.tobytes()` is `blob`.

        Raises
        ------
        BadSignal
            If the blob is not a state.
        """
        n_channels = int.from_bytes(blob[:8], "little")
        if not 1 <= n_channels <= 8 or len(blob) != pulse_state(n_channels).itemsize:
            raise BadSignal(f"{len(blob)} bytes are no saved pulse state; begin a new analysis")
        analyzer = cls.__new__(cls)
        analyzer.state = np.frombuffer(bytearray(blob), pulse_state(n_channels))
        return analyzer

    def push(self, x: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Take the next samples.

        Parameters
        ----------
        x : float32 [n_channels, n_samples >= 0]
            In any unit; NaN where a sample is missing.

        Returns
        -------
        pulses, quality : structured arrays
            Of the dtypes `PULSE` and `QUALITY`, in the order in which they became known.

        Raises
        ------
        BadSignal
            For another shape.
        """
        channels = self.state["channels"][0]
        samples = np.ascontiguousarray(x, np.float32)
        if samples.ndim != 2 or samples.shape[0] != channels.size:
            raise BadSignal(
                f"samples have the shape {samples.shape}; give [{channels.size} channels, samples]"
            )
        head = self.state["head"][0]
        room = int(samples.shape[1] / head["fs_hz"]) + 2
        pulses = np.zeros(channels.size * room * _MOST_A_SECOND, PULSE)
        seconds = np.zeros(channels.size * room, QUALITY)
        step = float(head["fs_hz"]) / ANALYSIS_HZ
        counts = advance(head, channels, samples, step, pulses, seconds)
        return pulses[: counts[0]], seconds[: counts[1]]


_MOST_A_SECOND = 5


def find_pulses(x: ArrayLike, fs_hz: float, start_ns: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pulses and quality of a whole stretch, `x` [n_channels, n_samples]; see `PulseAnalyzer`."""
    samples = np.atleast_2d(np.asarray(x, np.float32))
    return PulseAnalyzer(fs_hz, samples.shape[0], start_ns).push(samples)


__all__: Sequence[str] = ["CHANNEL", "PulseAnalyzer", "find_pulses"]
