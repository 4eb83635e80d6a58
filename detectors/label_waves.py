"""The mean beat of a record, wave by wave: PR interval, QRS width and notches, ST, T wave, P waves.

What says "other rhythm" in beats that come on time: a long PR interval (first-degree AV block), a
wide or notched QRS complex (bundle branch block), a slow begin of it (delta wave), P waves that
come and go or move. Beats of the usual shape are laid over each other at their best fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.label_shapes import LIKE, TINY, Floats, correlations, most_usual
from dsp.resample import ANALYSIS_HZ

Feature = tuple[str, float]

HZ = ANALYSIS_HZ
R = 110  # analysis samples of a beat before its R peak
END = 150  # and after
QRS = slice(R - 25, R + 30)
SHIFTS = range(-3, 4)  # analysis samples by which a beat is moved
FEWEST = 4  # beats
MIDDLE = (0.2, 0.8)  # of the beats, sample by sample, whose mean is taken
LEVELS = (0.05, 0.1, 0.2, 0.35)  # of the steepest slope: where a QRS complex begins and ends
EDGE = 1  # which of them ends the complex for all other measures
LONGEST_REST = 5  # analysis samples less steep than that inside a complex
PR_LONGEST, PR_SHORTEST = 75, 3  # analysis samples before the QRS complex, searched for a P wave
ST = 12  # analysis samples after the QRS complex, from which a T wave is searched


class _Beats(NamedTuple):
    each: Floats  # [n_beats, R + END], relative to the height of the mean QRS complex
    mean: Floats  # [R + END]
    share: float  # of beats of the usual shape


def waves(x_mv: Floats, r: Floats) -> dict[str, float]:
    """Features by name; none where fewer than 4 whole beats lie in the record.

    Parameters
    ----------
    x_mv : float [n]
        One lead at the analysis rate.
    r : float [n_beats]
        R peaks, analysis samples, in order of time.
    """
    places = np.round(r).astype(np.int64)
    places = places[(places >= R) & (places < x_mv.size - END)]
    if places.size < FEWEST:
        return {}
    beats = _aligned(x_mv, places)
    edges, slope = [], np.diff(np.convolve(beats.mean, [0.25, 0.5, 0.25], "same"))
    out: dict[str, float] = {"share of the usual shape": beats.share}
    for level in LEVELS:
        edges.append(_edges(np.abs(slope), level))
        out[f"QRS: from, at {level:g}"] = float(R - edges[-1][0])
        out[f"QRS: to, at {level:g}"] = float(edges[-1][1] - R)
        out[f"QRS: width, at {level:g}"] = float(edges[-1][1] - edges[-1][0])
    on, off = edges[EDGE]
    out |= dict(_complex(beats.mean, slope, on, off))
    out |= dict(_p_wave(beats, on))
    rr_s = float(np.median(np.diff(places))) / HZ
    return out | dict(_t_wave(beats.mean, on, off, rr_s))


def _cuts(x: Floats, places: NDArray[np.int64]) -> Floats:
    cuts = x[np.clip(places, R, x.size - END)[:, None] + np.arange(-R, END)]
    return np.asarray(cuts - np.median(cuts[:, 50:90], axis=1, keepdims=True))


def _aligned(x: Floats, places: NDArray[np.int64]) -> _Beats:
    """Beats of the usual shape, at their best fit, and their mean."""

    def level(cuts: Floats) -> Floats:
        return np.asarray(cuts[..., QRS] - cuts[..., QRS].mean(axis=-1, keepdims=True))

    cuts = _cuts(x, places)
    inner = level(cuts)
    alike, _ = correlations(inner)
    usual = alike[most_usual(alike)] > LIKE
    share = float(usual.mean())
    if usual.sum() < FEWEST - 1:
        usual[:] = True
    places, template = places[usual], level(np.median(cuts[usual], axis=0))
    fits = []
    for shift in SHIFTS:
        moved = level(_cuts(x, places + shift))
        fits.append(moved @ template / np.sqrt((moved**2).sum(axis=1) + TINY))
    each = _cuts(x, places + SHIFTS[0] + np.argmax(fits, axis=0))
    first, last = int(MIDDLE[0] * len(each)), int(MIDDLE[1] * len(each))
    mean = np.sort(each, axis=0)[first : max(last, first + 1)].mean(axis=0)
    unit = float(np.ptp(mean[R - 15 : R + 25])) + 1e-6
    return _Beats(each / unit, mean / unit, share)


def _edges(steep: Floats, level: float) -> tuple[int, int]:
    """Begin and end of the QRS complex: as far as the slope stays steep, with short rests."""
    searched = steep[R - 30 : R + 40]
    places = np.flatnonzero(searched > level * steep[R - 20 : R + 30].max())
    on = off = int(np.argmax(searched))
    for k in places[places <= on][::-1].tolist():
        if on - k <= LONGEST_REST:
            on = k
    for k in places[places >= off].tolist():
        if k - off <= LONGEST_REST:
            off = k
    return on + R - 30, off + R - 30


def _complex(beat: Floats, slope: Floats, on: int, off: int) -> Iterator[Feature]:
    inside = slope[on : off + 1]
    steepest = float(np.abs(slope[R - 20 : R + 30]).max()) + TINY
    for name, share in (("turns", 0.08), ("turns, small ones too", 0.03)):
        way = np.sign(inside[np.abs(inside) > share * steepest])
        yield f"QRS: {name}", float(np.sum(way[1:] != way[:-1]))
    yield "QRS: steepest of the first 32 ms", float(np.abs(slope[on : on + 8]).max() / steepest)
    middle = R - 30 + int(np.argmax(np.abs(slope[R - 30 : R + 40])))
    yield "QRS: where steepest", (middle - on) / (off - on + 1)
    over = beat[on:off] - np.linspace(beat[on], beat[off], off - on)
    yield "QRS: area", float(over.sum())
    yield "QRS: area of both signs", float(np.abs(over).sum())
    yield "QRS: top", float(beat[on : off + 1].max())
    yield "QRS: bottom", float(beat[on : off + 1].min())
    for name, after in (("J", 0), ("J + 40 ms", 10), ("J + 80 ms", 20)):
        yield name, float(beat[min(off + after, beat.size - 1)] - beat[on])


def _p_wave(beats: _Beats, on: int) -> Iterator[Feature]:
    """The largest bump before the QRS complex: where, how large, how alike from beat to beat."""
    first, end = max(on - PR_LONGEST, 5), on - PR_SHORTEST
    kernel = np.ones(5) / 5
    part = np.convolve(beats.mean, kernel, "same")[first:end]
    bump = part - np.linspace(part[:3].mean(), part[-3:].mean(), part.size)
    at = int(np.argmax(np.abs(bump)))
    way, size = np.sign(bump[at]), float(np.abs(bump[at]))
    yield "P wave: size", float(bump[at])
    yield "P wave: peak to QRS", float(on - first - at)
    yield "P wave: highest", float(bump.max())
    yield "P wave: highest to QRS", float(on - first - np.argmax(bump))
    yield "P wave: mean", float(bump.mean())
    yield "P wave: width at half", float(np.sum(np.abs(bump) > 0.5 * size))
    yield "P wave: rise of the line", float(part[-3:].mean() - part[:3].mean())
    yield "P wave: steepest to QRS", float(on - first - np.argmax(np.diff(part) * way))
    apart = np.abs(beats.each[:, first:end] - beats.mean[first:end])
    yield "P wave: size over spread", size / (float(np.median(apart, axis=0).mean()) + 1e-3)
    each = np.array([np.convolve(b[first:end], kernel, "same") for b in beats.each])
    begin, last = each[:, :3].mean(axis=1), each[:, -3:].mean(axis=1)
    each -= begin[:, None] + np.linspace(0, 1, part.size) * (last - begin)[:, None]
    like = each @ bump / np.sqrt((each**2).sum(axis=1) * (bump @ bump) + TINY)
    for share in (0, 10, 25, 50, 75):
        yield f"P wave: likeness, percentile {share}", float(np.percentile(like, share))
    yield "P wave: share alike", float(np.mean(like > 0.5))
    peaks = np.argmax(way * each, axis=1)
    yield "P wave: spread of places", float(peaks.std())
    yield "P wave: median distance of places", float(np.median(np.abs(peaks - np.median(peaks))))
    yield "P wave: spread of sizes", float((each.max(axis=1)).std())


def _t_wave(beat: Floats, on: int, off: int, rr_s: float) -> Iterator[Feature]:
    first = off + ST
    part = np.convolve(beat, np.ones(5) / 5, "same")[first:-5]
    over = part - np.median(part)
    at = int(np.argmax(np.abs(over)))
    high = float(part.max() - beat[on])
    yield "T wave: size", float(over[at])
    yield "T wave: QRS to peak", float(first + at - on)
    yield "T wave: highest", high
    yield "T wave: lowest", float(part.min() - beat[on])
    yield "T wave: beside R", high / (float(beat[on : off + 1].max() - beat[on]) + 0.05)
    yield "T wave: QRS to peak, for the rate", (first + at - on) / HZ / np.sqrt(max(rr_s, 0.2))
    yield "T wave: width at half", float(np.sum(np.abs(over) > 0.5 * np.abs(over[at])))
