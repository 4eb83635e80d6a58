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
    views = []
    for i, name in enumerate(names):
        analyzer = Analyzer(fs_hz, (name,), start_ns)
        found = Findings.concat([analyzer.push(x_mv[i : i + 1]), analyzer.finish()])
        views.append(_view(x_mv[i], fs_hz, i, name, found, span_s, start_ns))
    return views


def _view(
    x_mv: NDArray[np.float32],
    fs_hz: float,
    lead: int,
    name: str,
    found: Findings,
    span_s: float,
    start_ns: int,
) -> LeadView:
    end_s = x_mv.size / fs_hz
    first_s = end_s - span_s
    # whole seconds, so that grid and samples meet at both ends
    kept_s = max(0, int(end_s - max(LEARN_S, span_s) - 2))
    begin = round(kept_s * fs_hz)
    grid = to_grid(x_mv[begin:], fs_hz)
    beats = found.beats[found.beats["sample"] >= (end_s - max(LEARN_S, span_s)) * fs_hz]
    at = np.rint((beats["sample"] - begin) * (GRID_HZ / fs_hz)).astype(np.int64)
    room = (at >= BEFORE + SHIFT) & (at < grid.size - BEHIND - SHIFT)
    at, beats = at[room], beats[room]
    pieces = shifted(grid, at)
    usual = learn_usual(pieces)
    rows = np.zeros(at.size, LEAD_BEAT)
    rows["sample"], rows["t_ns"], rows["lead"] = beats["sample"], beats["t_ns"], lead
    rows["alike"] = alike_before(pieces)
    recent = rows["sample"] >= first_s * fs_hz
    rows["companions"][recent] = companions(pieces, recent)
    if usual is not None:
        describe(rows, pieces, usual)
    rows = rows[rows["sample"] >= first_s * fs_hz]
    searched = np.zeros(0, LEAD_BEAT)
    if usual is not None:
        searched = search(grid, usual, fs_hz, first_s - kept_s)
        searched["sample"] += begin
        searched["lead"] = lead
        searched["t_ns"] = start_ns + np.rint(searched["sample"] * 1e9 / fs_hz).astype(np.int64)
    quality = found.quality[found.quality["sample"] >= (first_s - 0.001) * fs_hz]
    seconds = look_at_seconds(x_mv, grid, fs_hz, quality, begin)
    seconds["lead"] = lead
    return LeadView(
        name,
        rows,
        searched,
        seconds,
        usual.share if usual is not None else 0.0,
        usual.slowness if usual is not None else float("nan"),
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


def search(grid: NDArray[np.float64], usual: Usual, fs_hz: float, first_s: float) -> NDArray[Any]:
    """Places after `first_s` that look like the usual beat."""
    begin = max(int(first_s * GRID_HZ), 0)
    part = grid[begin:]
    if part.size < BEFORE + BEHIND:
        return np.zeros(0, LEAD_BEAT)
    windows = sliding_window_view(part, BEFORE + BEHIND)
    alike = unit(windows) @ usual.shape
    slowness, height = slowness_and_height(windows)
    height = height / max(usual.height, 1e-9)
    alike[(height < FOUND_HEIGHT[0]) | (height > FOUND_HEIGHT[1])] = 0.0
    at: list[int] = []
    for i in np.argsort(-alike, kind="stable"):
        if alike[i] < FOUND_SAME:
            break
        if all(abs(i - j) >= REFRACTORY for j in at):
            at.append(int(i))
    rows = np.zeros(len(at), LEAD_BEAT)
    at_sorted = np.sort(np.array(at, np.int64))
    rows["sample"] = np.rint((begin + at_sorted + BEFORE) * (fs_hz / GRID_HZ)).astype(np.int64)
    rows["familiar"], rows["height"] = alike[at_sorted], height[at_sorted]
    rows["slowness"] = slowness[at_sorted]
    rows["slower"] = slowness[at_sorted] / max(usual.slowness, 1e-9)
    rows["alike"] = np.nan
    return rows


# ---------------------------------------------------------------- seconds


def look_at_seconds(
    x_mv: NDArray[np.float32],
    grid: NDArray[np.float64],
    fs_hz: float,
    quality: NDArray[Any],
    grid_begin: int,
) -> NDArray[Any]:
    """Rows of the seconds that `quality` tells of; the grid begins at sample `grid_begin`."""
    rows = np.zeros(quality.size, LEAD_SECOND)
    # waves of fibrillation are slower than muscle
    slow = np.convolve(grid, np.ones(SLOW) / SLOW, "same")
    for name in ("sample", "t_ns", "sqi", "code"):
        rows[name] = quality[name]
    for row in rows:
        begin, end = int(row["sample"]), int(row["sample"] + fs_hz)
        second = x_mv[begin:end]
        steps = np.abs(np.diff(second))
        row["stuck"] = 1.0 - float((steps > 1e-6).sum()) / max(steps.size, 1)
        first = max(0, int((begin - grid_begin) * GRID_HZ / fs_hz))
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
