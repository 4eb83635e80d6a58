"""What the last seconds look like, lead by lead, beside the minutes before.

An alarm is verified by what single leads show, for one lead is often disturbed while another is
not. The usual beat of each lead is learned from its last 90 s, without labels (after Hamilton
2002, "Open source ECG analysis": templates by leader clustering); each beat is then compared with
it and with its neighbours. The usual beat is searched for, too: a beat that follows an artifact
of ten times its size is below every threshold of a QRS detector, but has its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from detectors.analyzer import Analyzer
from ecg import Findings
from ecg.evidence import LEAD_BEAT, LEAD_SECOND, LeadView

GRID_HZ = 125.0
SMOOTH_S = 0.016
BEFORE, BEHIND = 13, 21  # points of 8 ms about the R peak: 104 ms before to 160 ms behind
SHIFT = 4  # points (32 ms) that a beat may be moved by to fit another
CENTRAL = slice(4, 30)  # of a piece: the QRS complex without what is before and behind
SAME = 0.9  # correlation from which on beats are of one kind (Plesinger et al. 2016 use as much)
MOST_KINDS = 24
LEARN_S = 90.0
FEWEST = 8  # beats from which a usual beat can be told
FOUND_SAME = 0.8  # of a beat that is searched for
FOUND_HEIGHT = (0.3, 3.0)
REFRACTORY = 25  # points: 200 ms
TOGETHER = 12  # points (96 ms): beats of two leads that are one beat
OSCILLATION_S = 4.0  # Challenge 2015: fibrillatory for 4 s
SHORTEST_S = 0.05
SLOW = 7  # points: 56 ms


def look_back(
    x_mv: NDArray[np.float32], fs_hz: float, names: Sequence[str], span_s: float, start_ns: int = 0
) -> list[LeadView]:
    """What each lead shows of the last `span_s` seconds of `x_mv` [n_leads, n_samples].

    Samples are millivolts, NaN where missing; the more of the minutes before is given, the better
    is the usual beat known. Raises `BadSignal` as `Analyzer` does.
    """
    found = []
    for i, name in enumerate(names):
        analyzer = Analyzer(fs_hz, (name,), start_ns)
        found.append(Findings.concat([analyzer.push(x_mv[i : i + 1]), analyzer.finish()]))
    window = _Window(fs_hz, x_mv.shape[1], span_s, start_ns)
    at = [window.grid_points(f.beats["sample"]) for f in found]
    views = []
    for i, name in enumerate(names):
        others = np.concatenate([at[j] for j in range(len(at)) if j != i] or [at[i]])
        views.append(_view(x_mv[i], name, i, found[i], others, window))
    return views


@dataclass(frozen=True, slots=True)
class _Window:
    """The stretch that is looked at, and the longer one that the usual beat is learned from."""

    fs_hz: float
    n_samples: int
    span_s: float
    start_ns: int

    @property
    def first_sample(self) -> float:
        """Where the stretch begins that is looked at."""
        return self.n_samples - self.span_s * self.fs_hz

    @property
    def begin(self) -> int:
        """Sample where the grid begins: at a whole second, so that both meet."""
        end_s = self.n_samples / self.fs_hz
        return round(max(0, int(end_s - max(LEARN_S, self.span_s) - 2)) * self.fs_hz)

    def grid_points(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Grid points of those samples that have room for a piece about them."""
        at = np.rint((samples - self.begin) * (GRID_HZ / self.fs_hz)).astype(np.int64)
        end = int((self.n_samples - self.begin) / self.fs_hz * GRID_HZ)
        return np.asarray(at[(at >= BEFORE + SHIFT) & (at < end - BEHIND - SHIFT)])

    def rows(self, at: NDArray[np.int64], lead: int) -> NDArray[Any]:
        """Rows for these grid points, with their times."""
        rows = np.zeros(at.size, LEAD_BEAT)
        rows["sample"] = self.begin + np.rint(at * (self.fs_hz / GRID_HZ)).astype(np.int64)
        rows["t_ns"] = self.start_ns + np.rint(rows["sample"] * 1e9 / self.fs_hz).astype(np.int64)
        rows["lead"], rows["alike"] = lead, np.nan
        return rows


def _view(
    x_mv: NDArray[np.float32],
    name: str,
    lead: int,
    found: Findings,
    others: NDArray[np.int64],
    window: _Window,
) -> LeadView:
    grid = to_grid(x_mv[window.begin :], window.fs_hz)
    at = window.grid_points(found.beats["sample"])
    apart = np.abs(others[:, None] - at[None, :]).min(axis=1, initial=REFRACTORY) > TOGETHER
    extra = np.unique(others[apart])
    extra = extra[np.diff(extra, prepend=-REFRACTORY) > TOGETHER]
    pieces = shifted(grid, at)
    usual = learn_usual(pieces)
    all_at = np.concatenate([at, extra])
    rows = window.rows(all_at, lead)
    rows["alike"][: at.size] = alike_before(pieces)
    pieces = shifted(grid, all_at)
    recent = rows["sample"] >= window.first_sample
    rows["companions"][recent] = companions(pieces, recent)
    searched = np.zeros(0, LEAD_BEAT)
    if usual is not None:
        describe(rows, pieces, usual)
        searched = search(grid, usual, window, lead)
    own, joint = rows[: at.size], np.sort(rows, order="sample")
    quality = found.quality[found.quality["sample"] >= window.first_sample - 1]
    return LeadView(
        name=name,
        beats=own[recent[: at.size]],
        joint=joint[joint["sample"] >= window.first_sample],
        searched=searched,
        seconds=look_at_seconds(x_mv, grid, quality, window, lead),
        usual_share=usual.share if usual is not None else 0.0,
        usual_slowness=usual.slowness if usual is not None else float("nan"),
    )


# ---------------------------------------------------------------- pieces of signal


def to_grid(x_mv: NDArray[np.float32], fs_hz: float) -> NDArray[np.float64]:
    """A lead at 125 Hz, smoothed over 16 ms; what is missing is held at the last value."""
    x = x_mv.astype(np.float64)
    there = np.isfinite(x)
    if not there.all():
        last = np.maximum.accumulate(np.where(there, np.arange(x.size), -1))
        x = np.where(last >= 0, x[np.maximum(last, 0)], 0.0)
    width = max(1, round(SMOOTH_S * fs_hz))
    total = np.concatenate([[0.0], np.cumsum(x)])
    begin = np.clip(np.arange(x.size) - width // 2, 0, None)
    end = np.minimum(np.arange(x.size) - width // 2 + width, x.size)
    smooth = (total[end] - total[begin]) / (end - begin)
    where = np.arange(int(x.size / fs_hz * GRID_HZ)) * (fs_hz / GRID_HZ)
    return np.asarray(np.interp(where, np.arange(x.size), smooth))


def unit(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pieces [..., n_points] without their means, of power 1; zeros where there is nothing."""
    away = pieces - pieces.mean(axis=-1, keepdims=True)
    power = np.sqrt((away**2).sum(axis=-1, keepdims=True))
    return np.asarray(np.divide(away, power, out=np.zeros_like(away), where=power > 1e-6))


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Beats cut out of a lead, [n_beats, n_points], and the same at all shifts, of power 1."""

    raw: NDArray[np.float64]
    shifted: NDArray[np.float64]  # [n_beats, 2 * SHIFT + 1, n_points]

    @property
    def unit(self) -> NDArray[np.float64]:
        """Pieces that are not shifted, of power 1."""
        return self.shifted[:, SHIFT]


def shifted(grid: NDArray[np.float64], at: NDArray[np.int64]) -> Pieces:
    """Cut the beats at these grid points out; there is room about each."""
    windows = sliding_window_view(grid, BEFORE + BEHIND) if at.size else np.zeros((1, 34))
    first = at[:, None] - BEFORE + np.arange(-SHIFT, SHIFT + 1)[None, :]
    cut = windows[first]
    return Pieces(cut[:, SHIFT], unit(cut))


def slowness_and_height(raw: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of pieces [n, n_points]: height over steepest slope, ms, and height, mV."""
    qrs = raw[:, CENTRAL]
    height = qrs.max(axis=1) - qrs.min(axis=1)
    slope = np.abs(qrs[:, 2:] - qrs[:, :-2]).max(axis=1)
    return 2000 / GRID_HZ * height / np.maximum(slope, 1e-9), height


# ---------------------------------------------------------------- the usual beat


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """The beat that a lead shows most often: shape of power 1, and what is usual of it."""

    shape: NDArray[np.float64]
    share: float
    slowness: float
    height: float


def learn_usual(pieces: Pieces) -> Usual | None:
    """The largest kind of beats, None when there are too few beats to tell."""
    if pieces.raw.shape[0] < FEWEST:
        return None
    kinds = np.zeros((MOST_KINDS, pieces.raw.shape[1]))
    counts = np.zeros(MOST_KINDS, np.int64)
    member = np.full(pieces.raw.shape[0], -1)
    for i, options in enumerate(pieces.shifted):
        n = int((counts > 0).sum())
        if n:
            alike = options @ kinds[:n].T
            shift, kind = np.unravel_index(int(alike.argmax()), alike.shape)
            if alike[shift, kind] > SAME:
                counts[kind] += 1
                kinds[kind] += (options[shift] - kinds[kind]) / min(counts[kind], 16)
                kinds[kind] /= np.linalg.norm(kinds[kind])
                member[i] = kind
                continue
        if n < MOST_KINDS:
            kinds[n], counts[n], member[i] = options[SHIFT], 1, n
    largest = int(counts.argmax())
    slowness, height = slowness_and_height(pieces.raw[member == largest])
    share = float(counts[largest] / len(member))
    return Usual(kinds[largest], share, float(np.median(slowness)), float(np.median(height)))


def describe(rows: NDArray[Any], pieces: Pieces, usual: Usual) -> None:
    """Compare beats with the usual one; fills the rows."""
    rows["familiar"] = (pieces.shifted @ usual.shape).max(axis=1)
    slowness, height = slowness_and_height(pieces.raw)
    rows["slowness"], rows["slower"] = slowness, slowness / max(usual.slowness, 1e-9)
    rows["height"] = height / max(usual.height, 1e-9)


def alike_before(pieces: Pieces) -> NDArray[np.float32]:
    """Correlation of each beat with each of the four before it, [n_beats, 4]."""
    n = pieces.raw.shape[0]
    alike = np.full((n, 4), np.nan, np.float32)
    for back in range(1, 5):
        if n > back:
            now, before = pieces.shifted[back:], pieces.unit[:-back]
            alike[back:, back - 1] = np.einsum("isp,ip->is", now, before).max(axis=1)
    return alike


def companions(pieces: Pieces, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the other beats are of the kind of each of the chosen ones."""
    n, shifts, points = pieces.shifted.shape
    if not n or not chosen.any():
        return np.zeros(int(chosen.sum()), np.int64)
    all_moved = pieces.shifted.astype(np.float32)
    still = pieces.unit.astype(np.float32)
    # of two beats either may be moved to fit the other
    a = (all_moved.reshape(-1, points) @ still[chosen].T).reshape(n, shifts, -1).max(axis=1)
    b = (all_moved[chosen].reshape(-1, points) @ still.T).reshape(-1, shifts, n).max(axis=1)
    alike = np.maximum(a, b.T) > SAME
    return np.asarray(alike.sum(axis=0) - alike[chosen].diagonal())


def search(grid: NDArray[np.float64], usual: Usual, window: _Window, lead: int) -> NDArray[Any]:
    """Places in the stretch looked at that look like the usual beat."""
    begin = max(int((window.first_sample - window.begin) * GRID_HZ / window.fs_hz), 0)
    part = grid[begin:]
    if part.size < BEFORE + BEHIND:
        return np.zeros(0, LEAD_BEAT)
    windows = sliding_window_view(part, BEFORE + BEHIND)
    alike = unit(windows) @ usual.shape
    slowness, height = slowness_and_height(windows)
    height = height / max(usual.height, 1e-9)
    alike[(height < FOUND_HEIGHT[0]) | (height > FOUND_HEIGHT[1])] = 0.0
    best: list[int] = []
    for i in np.argsort(-alike, kind="stable"):
        if alike[i] < FOUND_SAME:
            break
        if all(abs(i - j) >= REFRACTORY for j in best):
            best.append(int(i))
    at = np.sort(np.array(best, np.int64))
    rows = window.rows(begin + at + BEFORE, lead)
    rows["familiar"], rows["height"] = alike[at], height[at]
    rows["slowness"], rows["slower"] = slowness[at], slowness[at] / max(usual.slowness, 1e-9)
    return rows


# ---------------------------------------------------------------- seconds


def look_at_seconds(
    x_mv: NDArray[np.float32],
    grid: NDArray[np.float64],
    quality: NDArray[Any],
    window: _Window,
    lead: int,
) -> NDArray[Any]:
    """Rows of the seconds that `quality` tells of."""
    fs_hz = window.fs_hz
    rows = np.zeros(quality.size, LEAD_SECOND)
    # waves of fibrillation are slower than muscle
    slow = np.convolve(grid, np.ones(SLOW) / SLOW, "same")
    for name in ("sample", "t_ns", "sqi", "code"):
        rows[name] = quality[name]
    rows["lead"] = lead
    for row in rows:
        begin, end = int(row["sample"]), int(row["sample"] + fs_hz)
        second = x_mv[begin:end]
        steps = np.abs(np.diff(second))
        row["stuck"] = 1.0 - float((steps > 1e-6).sum()) / max(steps.size, 1)
        first = max(0, int((begin - window.begin) * GRID_HZ / fs_hz))
        slopes = np.abs(np.diff(grid[first : first + int(GRID_HZ)]))
        row["steepest"] = 2 * slopes.max() if slopes.size else 0.0
        last = first + int(GRID_HZ)
        longer = slow[max(0, last - int(OSCILLATION_S * GRID_HZ)) : last]
        row["leakage"], row["period_s"] = leakage(longer, GRID_HZ)
    return rows


def leakage(x_mv: NDArray[np.float64], fs_hz: float) -> tuple[float, float]:
    """How far a stretch is from a plain oscillation, 0 to 1, and the period of that, s.

    The VF filter of Kuo & Dillman 1978 ("Computer detection of ventricular fibrillation",
    Computers in Cardiology): a signal plus itself half a period before; 1 when the signal stands
    still or is shorter than a second.
    """
    second = int(fs_hz)
    if x_mv.size <= second:
        return 1.0, float("nan")
    drift = np.convolve(np.pad(x_mv, second // 2, "edge"), np.ones(second) / second, "valid")
    x = x_mv - drift[: x_mv.size]
    steps, size = np.abs(np.diff(x)).sum(), np.abs(x).sum()
    if steps < 1e-6 or size < 1e-6:
        return 1.0, float("nan")
    period_s = float(2 * np.pi * size / steps / fs_hz)
    half = round(period_s * fs_hz / 2)
    if period_s < SHORTEST_S or not 1 <= half < x.size // 2:
        return 1.0, period_s
    rest = np.abs(x[half:] + x[:-half]).sum()
    return float(rest / (np.abs(x[half:]) + np.abs(x[:-half])).sum()), period_s
