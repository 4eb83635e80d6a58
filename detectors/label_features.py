"""What a record of one lead looks like as a whole, as numbers: intervals, shapes, P and f waves.

For records of 9 to 60 s from a hand-held recorder. The ideas are those of the entries to the
PhysioNet/CinC Challenge 2017 (Clifford et al. 2017) that built on features: Datta et al., Zabihi et
al., Christov et al. (Physiol Meas 2018). Everything is relative to the record's own QRS complex, so
that gain does not matter. Beats that come early are described in `detectors.label_early`, the waves
of the mean beat in `detectors.label_waves`.

Nothing here is a verdict of a model that learnt from the labels of Challenge 2017 (AF, classes of
beats): on its own records such a model knows the answer, and forests that see it there would trust
it more than it deserves elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.label_early import early_beats
from detectors.label_shapes import LIKE, TINY, Floats, correlations
from detectors.label_waves import waves
from dsp.resample import ANALYSIS_HZ
from ecg import Findings
from ecg.codes import BeatFlag, QualityCode

Feature = tuple[str, float]

HZ = ANALYSIS_HZ
QRS_FROM, QRS_END = 25, 26  # analysis samples about the R peak: 100 ms on both sides
BEAT_FROM, BEAT_END = 100, 150  # a whole beat: 400 ms before, 600 ms after
LOCAL = 8  # intervals that a local measure spans
WIDE = 0.75  # steepness, relative to the usual beat's, below which another shape is wide
FEWEST_BEATS = 4
BANDS_HZ = (0.3, 0.7, 2.0, 4.0, 7.0, 10.0, 15.0, 25.0, 45.0, 55.0, 65.0, 100.0)
F_BANDS_HZ = (2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 20.0)


def features(x_mv: Floats, found: Findings, r: Floats, windows: Floats) -> dict[str, float]:
    """All features of a record by name; NaN where one cannot be told.

    Parameters
    ----------
    x_mv : float [n]
        One lead at the analysis rate.
    found : Findings
        Of the record.
    r : float [n_beats]
        R peaks, analysis samples, one for each of `found.beats`.
    windows : float [n_windows, n_measures]
        Measures of fibrillation, a row a second; none in a record shorter than their window.
    """
    out = dict(_signal(x_mv, found, windows))
    out |= dict(_measured(found))
    out["beats a minute"] = 60.0 * r.size * HZ / x_mv.size
    inside = r[(r >= BEAT_FROM) & (r < x_mv.size - BEAT_END)]
    if r.size < FEWEST_BEATS or inside.size < FEWEST_BEATS:
        return out
    places = np.round(r).astype(np.int64)
    usual, wide, shapes = _shapes(x_mv, places)
    out |= dict(shapes)
    rr_s = np.diff(r) / HZ
    out |= {f"all: {name}": value for name, value in _intervals(rr_s)}
    kept = ~wide[1:] & ~wide[:-1]
    out |= {f"usual: {name}": value for name, value in _intervals(rr_s[kept])}
    out["share of usual intervals"] = float(kept.mean())
    out |= dict(_early(rr_s, usual))
    out |= early_beats(x_mv, r, found.beats) | waves(x_mv, r)
    beat, measures = _mean_beat(x_mv, places[usual])
    out |= dict(measures)
    if beat.size:
        out |= dict(_between(x_mv, places, beat))
    return out


def _signal(x: Floats, found: Findings, windows: Floats) -> Iterator[Feature]:
    """Quality, power by frequency, form."""
    quality, beats = found.quality, found.beats
    yield "length, s", x.size / HZ
    sqi = quality["sqi"] if quality.size else np.zeros(1)
    yield "mean quality", float(sqi.mean())
    yield "low quality", float(np.percentile(sqi, 10))
    for code in (QualityCode.NOISY, QualityCode.BASELINE_JUMP, QualityCode.FLAT):
        yield (
            f"share {code.label}",
            float(np.mean(quality["code"] == code)) if quality.size else 0.0,
        )
    yield "mean confidence", float(beats["confidence"].mean()) if beats.size else 0.0
    yield "low confidence", float(np.percentile(beats["confidence"], 10)) if beats.size else 0.0
    back = beats["flags"] & BeatFlag.SEARCH_BACK > 0
    yield "share by search-back", float(back.mean()) if beats.size else 0.0
    power = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(x.size))) ** 2
    hz = np.fft.rfftfreq(x.size, 1 / HZ)
    whole = power[(hz >= BANDS_HZ[0]) & (hz < BANDS_HZ[-1])].sum() + TINY
    for low, high in pairwise(BANDS_HZ):
        share = power[(hz >= low) & (hz < high)].sum() / whole
        yield f"power from {low:g} Hz", float(np.log(share + 1e-6))
    middle = np.median(x)
    yield "log spread", float(np.log(x.std() + 1e-6))
    yield "log furthest", float(np.log(np.abs(x - middle).max() + 1e-6))
    yield "log median size", float(np.log(np.median(np.abs(x - middle)) + 1e-6))
    for k in range(windows.shape[1]):
        known = windows[:, k] if len(windows) else np.full(1, np.nan)
        yield f"form {k}, median", float(np.median(known))
        yield f"form {k}, high", float(np.percentile(known, 90))


def _measured(found: Findings) -> Iterator[Feature]:
    """Widths of QRS complexes and rates, as the analysis told them beat by beat."""
    poor = found.beats["flags"] & BeatFlag.POOR_SIGNAL > 0
    yield "share in poor signal", float(poor.mean()) if poor.size else 0.0
    for name, values, shares in (
        ("width, ms", found.classified["qrs_ms"], (5, 25, 50, 75, 95, 100)),
        ("rate, a minute", found.vitals["hr_bpm"], (0, 10, 50, 90, 100)),
        ("rate of 3, a minute", found.vitals["hr_fast_bpm"], (0, 10, 50, 90, 100)),
    ):
        known = values[np.isfinite(values)]
        for share in shares:
            value = float(np.percentile(known, share)) if known.size else np.nan
            yield f"{name}, percentile {share}", value


def _shapes(
    x: Floats, places: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[Feature]]:
    """Which beats have the usual shape, which another that is wide; how alike they are."""
    inside = np.clip(places, QRS_FROM + 1, x.size - QRS_END - 2)
    smooth = np.convolve(x, [0.25, 0.5, 0.25], "same")
    cuts = smooth[inside[:, None] + np.arange(-QRS_FROM, QRS_END, 2)]
    cuts = cuts - cuts.mean(axis=1, keepdims=True)
    alike, power = correlations(cuts)
    steep = (np.diff(cuts, axis=1) ** 2).sum(axis=1) / power
    # the usual beat: the one that most others resemble, the steeper of two that are as usual
    friends = (alike > LIKE).sum(axis=1)
    centre = int(np.argmax(friends + 0.5 * np.clip(steep / np.median(steep), 0, 1.9)))
    template = np.median(cuts[alike[centre] > LIKE], axis=0)
    own = (template**2).sum() + TINY
    like = cuts @ template / np.sqrt(power * own)
    size = np.sqrt(power / own)
    usual = (like > LIKE) & (size > 0.45) & (size < 2.2)
    usual_steep = float((np.diff(template) ** 2).sum() / own)
    wide = ~usual & (steep < WIDE * usual_steep)
    return (
        usual if usual.sum() >= 3 else np.ones_like(usual),
        wide,
        [
            ("share of other shapes", float(1 - usual.mean())),
            ("share of wide shapes", float(wide.mean())),
            ("mean likeness", float(like.mean())),
            ("low likeness", float(np.percentile(like, 10))),
            ("median likeness", float(np.median(like))),
            ("spread of sizes", float(size.std())),
            ("large size", float(np.percentile(size, 90))),
            ("small size", float(np.percentile(size, 10))),
            ("steepness", usual_steep),
            ("spread of steepness", float(steep.std())),
        ],
    )


def _intervals(rr_s: Floats) -> Iterator[Feature]:
    """Measures of the intervals between beats."""
    rr = rr_s[(rr_s > 0.2) & (rr_s < 4.0)]
    if rr.size < 5:
        return
    middle = float(np.median(rr))
    step = np.diff(rr)
    size = np.abs(step)
    yield "mean interval, s", float(rr.mean())
    yield "longest, s", float(rr.max())
    yield "shortest, s", float(rr.min())
    yield "variation", float(rr.std() / rr.mean())
    yield "root mean square difference", float(np.sqrt(np.mean(step**2)) / rr.mean())
    for lag in (1, 2, 3):
        apart = np.abs(rr[lag:] - rr[:-lag])
        yield f"median difference at {lag}", float(np.median(apart) / middle)
    yield "jumps beyond 50 ms", float(np.mean(size > 0.05))
    turned = step[1:] * step[:-1] < 0
    large = (size[1:] > 0.06) & (size[:-1] > 0.06)
    yield "swings that turn back", float(np.sum(turned & large) / (large.sum() + 1))
    yield "turning points", float(np.mean(turned))
    yield "steady pairs", float(np.mean((size[1:] < 0.04) & (size[:-1] < 0.04)))
    yield "distance from the median", float(np.median(np.abs(rr - middle)) / middle)
    yield "sample entropy", _entropy(rr)
    cells = np.histogram2d(step[1:], step[:-1], bins=9, range=[[-0.36, 0.36]] * 2)[0]
    yield "cells of the difference map", float(np.count_nonzero(cells) / (rr.size - 2))
    counts = np.histogram(rr / middle, bins=16, range=(0, 2))[0] / rr.size
    yield "entropy of the histogram", float(-np.sum(counts * np.log(counts + TINY)))
    for q in (5, 25, 75, 95):
        yield f"percentile {q}", float(np.percentile(rr, q) / middle)
    for q in (0, 5, 95, 100):
        yield f"percentile {q} of differences", float(np.percentile(step, q) / middle)
    yield "lower quartile of sizes", float(np.percentile(size, 25) / middle)
    yield "upper quartile of sizes", float(np.percentile(size, 75) / middle)
    around = np.array([np.median(rr[max(0, i - 4) : i + 5]) for i in range(rr.size)])
    ratio = rr / around
    yield "early", float(np.mean(ratio < 0.85))
    yield "early, then late", float(np.mean((ratio[:-1] < 0.87) & (ratio[1:] > 1.05)))
    yield "late", float(np.mean(ratio > 1.25))
    yield "on time", float(np.mean(np.abs(ratio - 1) < 0.05))
    yield "earliest", float(ratio.min())
    yield "latest", float(ratio.max())
    local = np.lib.stride_tricks.sliding_window_view(rr, min(LOCAL, rr.size))
    varied = local.std(axis=1) / local.mean(axis=1)
    yield "least local variation", float(varied.min())
    yield "median local variation", float(np.median(varied))
    yield "greatest local variation", float(varied.max())
    moved = np.median(np.abs(np.diff(local, axis=1)), axis=1) / middle
    yield "least local difference", float(moved.min())
    yield "greatest local difference", float(moved.max())
    yield "change of rate", float(np.ptp(np.median(local, axis=1)) / middle)
    centred = rr - rr.mean()
    for lag in (1, 2, 3, 4):
        both = centred[lag:] * centred[:-lag]
        yield f"autocorrelation at {lag}", float(both.mean() / (rr.var() + TINY))


def _entropy(rr: Floats) -> float:
    """Coefficient of sample entropy (COSEn): Lake & Moorman 2011."""
    apart = np.abs(rr[:, None] - rr[None, :])
    pairs = np.triu_indices(rr.size - 1, 1)
    here, after = apart[:-1, :-1][pairs], apart[1:, 1:][pairs]
    for tolerance_s in np.arange(0.03, 0.15, 0.01):
        both = int(np.sum((here < tolerance_s) & (after < tolerance_s)))
        if both >= 5:
            break
    one = int(np.sum(here < tolerance_s))
    return float(-np.log((both + 0.5) / (one + 1)) + np.log(2 * tolerance_s) - np.log(rr.mean()))


def _early(rr_s: Floats, usual: NDArray[np.bool_]) -> Iterator[Feature]:
    """How early beats of the usual shape and of others come."""
    ratio = np.append(1.0, rr_s / np.median(rr_s))
    yield "early of another shape", float(np.mean(~usual & (ratio < 0.88)))
    yield "early of the usual shape", float(np.mean(usual & (ratio < 0.85)))
    yield "interval before another shape", float(ratio[~usual].mean()) if (~usual).any() else 1.0


def _mean_beat(x: Floats, places: NDArray[np.int64]) -> tuple[Floats, list[Feature]]:
    """The median beat of the usual shape, its spread, and measures of its waves."""
    inside = places[(places >= BEAT_FROM) & (places < x.size - BEAT_END)]
    if inside.size < 3:
        return np.empty(0), []
    cuts = x[inside[:, None] + np.arange(-BEAT_FROM, BEAT_END)]
    cuts = cuts - np.median(cuts[:, 40:80], axis=1, keepdims=True)
    beat = np.median(cuts, axis=0)
    spread = np.median(np.abs(cuts - beat), axis=0)
    unit = float(np.ptp(beat[80:125])) + 1e-6
    before, after, slope = beat[25:88] / unit, beat[125:] / unit, np.abs(np.diff(beat))
    bump = before - np.linspace(before[:4].mean(), before[-4:].mean(), before.size)
    steep = np.flatnonzero(slope[70:140] > 0.12 * slope.max())
    stretch = cuts[:, 30:85] - cuts[:, 30:85].mean(axis=1, keepdims=True)
    template = stretch.mean(axis=0)
    like = stretch @ template / np.sqrt(np.sum(stretch**2, axis=1) * np.sum(template**2) + TINY)
    p_own = np.sum(stretch.mean(axis=0) ** 2)
    measures = [
        ("log height", float(np.log(unit))),
        ("P: highest", float(before.max())),
        ("P: lowest", float(before.min())),
        ("P: where", float(before.argmax())),
        ("P: over its line", float(bump.max())),
        ("P: under its line", float(bump.min())),
        ("P: over its spread", float(np.ptp(beat[30:85]) / (np.median(spread[30:85]) + 1e-6))),
        ("P: coherence", float(p_own / (np.mean(np.sum(stretch**2, axis=1)) + TINY))),
        ("P: likeness", float(like.mean())),
        ("P: low likeness", float(np.percentile(like, 10))),
        ("P: spread", float(spread[30:85].mean() / unit)),
        ("QRS: spread", float(spread[90:112].mean() / unit)),
        ("QRS: greatest spread", float(spread[85:120].max() / unit)),
        ("QRS: width", float(steep[-1] - steep[0]) if steep.size else np.nan),
        (
            "QRS: width at half",
            float(np.sum(np.abs(beat[80:125]) > 0.5 * np.abs(beat[80:125]).max())),
        ),
        ("QRS: highest", float(beat[90:112].max() / unit)),
        ("QRS: lowest", float(beat[85:120].min() / unit)),
        ("QRS: steepest", float(slope.max() / unit)),
        ("ST", float(beat[120:130].mean() / unit)),
        ("T: highest", float(after.max())),
        ("T: lowest", float(after.min())),
        ("T: where", float(np.abs(after).argmax())),
        ("T: spread", float(spread[125:].mean() / unit)),
    ]
    measures += [
        (f"beat at {k - BEAT_FROM}", float(beat[k : k + 10].mean() / unit))
        for k in range(20, 250, 10)
    ]
    return beat, measures


def _between(x: Floats, places: NDArray[np.int64], beat: Floats) -> Iterator[Feature]:
    """What is left between the QRS complexes when the mean beat is taken away: f waves, noise."""
    left, seen = x.copy(), np.ones(x.size, bool)
    nexts = np.append(places[1:], x.size + BEAT_FROM)
    for at, after in zip(places.tolist(), nexts.tolist(), strict=True):
        first, end = at - BEAT_FROM, min(at + BEAT_END, max(after - BEAT_FROM, at + 30))
        if first >= 0 and end < x.size:
            left[first:end] -= beat[: end - first]
        seen[max(at - 15, 0) : at + 20] = False
    left -= np.convolve(left, np.ones(125) / 125, "same")
    left = np.where(seen, left, 0.0)
    power = np.abs(np.fft.rfft(left * np.hanning(left.size))) ** 2
    hz = np.fft.rfftfreq(left.size, 1 / HZ)
    whole = power[(hz > F_BANDS_HZ[0]) & (hz < 30)].sum() + 1e-12
    unit = float(np.ptp(beat[80:125])) + 1e-6
    yield "rest: size", float(np.log(np.sqrt(whole) / x.size / unit * 10 + 1e-6))
    for low, high in pairwise(F_BANDS_HZ):
        yield f"rest: from {low:g} Hz", float(power[(hz >= low) & (hz < high)].sum() / whole)
    width = int(0.5 * x.size / HZ) + 1
    narrow = np.convolve(power, np.ones(width), "same")
    atrial = (hz > 3.5) & (hz < 11)
    yield "rest: peak, Hz", float(hz[atrial][narrow[atrial].argmax()])
    yield "rest: peak's share", float(narrow[atrial].max() / (power[atrial].sum() + 1e-12))
