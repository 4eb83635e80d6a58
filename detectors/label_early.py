"""Beats of a record that come early or have another shape: the strongest of them, and how many.

One or two ectopic beats make a record of 30 s "other rhythm", and vanish in means over it. So each
beat is measured (how early it comes, how late the next one, how like the usual beat it is, how
wide, all beside the noise about it), and the strongest beats of each measure are told, and how many
pass a threshold; once of all beats and once of those that are sure and in a usable second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from detectors.label_shapes import LIKE, TINY, Floats, correlations, most_usual
from dsp.resample import ANALYSIS_HZ
from ecg.codes import BeatFlag

Bools = NDArray[np.bool_]
Feature = tuple[str, float]

HZ = ANALYSIS_HZ
QRS_FROM, QRS_END = 20, 30  # analysis samples about the R peak
ROOM_FROM, ROOM_END = 60, 100  # what must lie before and after a beat that is measured
SHIFTS = range(-4, 5)  # analysis samples by which a beat is moved to be like the usual one
NEIGHBOURS = 4  # intervals on each side, whose median one is compared with
SAME = 0.9  # of beats surely of the usual shape
OTHER = 0.15  # 1 less the correlation: beats of another shape
SURE = 0.5  # confidence
NEAR = 250  # analysis samples on each side, over which noise is measured
FEWEST = 6  # beats
BAND_HZ = (0.7, 40.0)
_BAND = butter(2, BAND_HZ, "band", fs=HZ, output="sos")


class Each(NamedTuple):
    """Measures of each beat, float [n_beats]."""

    before: Floats  # interval to the beat before, relative to its neighbours
    after: Floats  # interval to the next beat, likewise
    pause: Floats  # how early it comes or how late the next one: the lesser of both
    unlike: Floats  # 1 less the correlation with the usual beat
    left: Floats  # log power that the usual beat leaves, relative to noise
    blunt: Floats  # log steepness of the median beat, less that of this one
    size: Floats  # log size relative to the usual beat
    noise: Floats  # relative to the usual beat


def early_beats(x_mv: Floats, r: Floats, beats: NDArray[Any]) -> dict[str, float]:
    """Features by name; none where fewer than 6 beats have room about them.

    Parameters
    ----------
    x_mv : float [n]
        One lead at the analysis rate.
    r : float [n_beats]
        R peaks, analysis samples, in order of time.
    beats : ecg.findings.BEAT [n_beats]
        The same beats.
    """
    places = np.round(r).astype(np.int64)
    room = (places >= ROOM_FROM) & (places < x_mv.size - ROOM_END)
    places, beats = places[room], beats[room]
    if places.size < FEWEST:
        return {}
    rr_s = np.diff(places) / HZ
    each, alike = _measure(x_mv, places, rr_s / _about(rr_s))
    sure = (beats["confidence"] > SURE) & (beats["flags"] & BeatFlag.POOR_SIGNAL == 0)
    out = {f"each: {name}": value for name, value in _strongest(each)}
    out |= {f"sure: {name}": v for name, v in _strongest(Each(*(m[sure] for m in each)))}
    out |= dict(_outstanding(each, alike, beats["confidence"]))
    return out | dict(_undisturbed(rr_s, each))


def _about(rr_s: Floats) -> Floats:
    """Median of the intervals on both sides of each, without itself."""
    out = rr_s.copy()
    for i in range(rr_s.size):
        first = max(0, i - NEIGHBOURS)
        others = np.delete(rr_s[first : i + NEIGHBOURS + 1], i - first)
        out[i] = np.median(others) if others.size else rr_s[i]
    return np.maximum(out, 1 / HZ)


def _cuts(x: Floats, places: NDArray[np.int64]) -> Floats:
    cuts = x[places[:, None] + np.arange(-QRS_FROM, QRS_END)]
    return np.asarray(cuts - cuts.mean(axis=1, keepdims=True))


def _measure(x: Floats, places: NDArray[np.int64], ratio: Floats) -> tuple[Each, Floats]:
    """Measures of each beat, and the correlations of all beats with each other."""
    band = sosfiltfilt(_BAND, x)
    cuts = _cuts(band, places)
    alike, power = correlations(cuts)
    centre = most_usual(alike)
    friends = alike[centre] > LIKE
    friends[centre] = True
    usual = np.median(cuts[friends], axis=0)
    own = float(usual @ usual) + TINY
    like, left = np.full(places.size, -1.0), np.zeros(places.size)
    for shift in SHIFTS:
        moved = _cuts(band, places + shift)
        both = moved @ usual
        now = both / np.sqrt((moved**2).sum(axis=1) * own + TINY)
        rest = ((moved - both[:, None] / own * usual) ** 2).sum(axis=1) / own
        left = np.where(now > like, rest, left)
        like = np.maximum(now, like)
    fine, unit = np.abs(np.diff(x, 2)), np.sqrt(own / usual.size)
    noise = np.array([np.median(fine[max(0, p - NEAR) : p + NEAR]) for p in places]) / unit
    steep = (np.diff(cuts, axis=1) ** 2).sum(axis=1) / power + TINY
    before, after = np.append(1.0, ratio), np.append(ratio, 1.0)
    each = Each(
        before,
        after,
        np.minimum(1 - before, after - 1),
        1 - like,
        np.log(left + 1e-4) - np.log(noise + 1e-3),
        np.log(np.median(steep) / steep),
        0.5 * np.log(power / own),
        noise,
    )
    return each, alike


def _highest(name: str, values: Floats, n: int) -> Iterator[Feature]:
    """The `n` highest, 0 where there are not so many."""
    order = np.sort(values)[::-1]
    for k in range(n):
        yield f"{name}, {k + 1}", float(order[k]) if k < order.size else 0.0


def _strongest(each: Each) -> Iterator[Feature]:
    early, other = 1 - each.before, each.unlike
    ahead = np.clip(early, 0, 1)
    yield from _highest("unlike", other, 3)
    yield from _highest("left over noise", each.left, 3)
    yield from _highest("blunt", each.blunt, 3)
    yield from _highest("size", np.abs(each.size), 2)
    yield from _highest("early", early, 4)
    yield from _highest("late", -early, 3)
    yield from _highest("early, then late", each.pause, 3)
    yield from _highest("early and unlike", ahead * other, 3)
    yield from _highest("blunt and unlike", np.clip(each.blunt, 0, None) * other, 3)
    yield from _highest("interpolated", ahead * np.clip(1 - each.after, 0, 1), 2)
    for name, values, thresholds in (
        ("early", early, (0.08, 0.12, 0.2, 0.3)),
        ("early, then late", each.pause, (0.05, 0.1, 0.2)),
        ("unlike", other, (0.1, 0.2, 0.4)),
    ):
        for threshold in thresholds:
            yield f"number {name} by {threshold:g}", float(np.sum(values > threshold))


def _outstanding(each: Each, alike: Floats, confidence: NDArray[np.float32]) -> Iterator[Feature]:
    """The beat with the clearest pause, the one most unlike; whether other shapes come again."""
    k = int(np.argmax(each.pause))
    yield "before the pause: unlike", float(each.unlike[k])
    yield "before the pause: blunt", float(each.blunt[k])
    yield "before the pause: both intervals", float(each.before[k] + each.after[k])
    yield "before the pause: size", float(each.size[k])
    yield "before the pause: confidence", float(confidence[k])
    k = int(np.argmax(each.unlike))
    yield "most unlike: before", float(each.before[k])
    yield "most unlike: after", float(each.after[k])
    yield "most unlike: blunt", float(each.blunt[k])
    yield "most unlike: size", float(each.size[k])
    yield "most unlike: confidence", float(confidence[k])
    yield "most unlike: noise", float(each.noise[k])
    yield "most unlike: noise beside others", float(each.noise[k] / (np.median(each.noise) + TINY))
    others = np.flatnonzero(each.unlike > OTHER)
    again = np.full(1, -1.0)
    if others.size >= 2:
        pairs = alike[np.ix_(others, others)]
        again = (pairs - 2 * np.eye(others.size)).max(axis=1)
    yield "other shapes come again", float(again.max())
    yield "other shapes come again, median", float(np.median(again))
    yield "noise, median", float(np.median(each.noise))
    yield "noise, highest", float(each.noise.max())
    same = each.unlike < 1 - SAME
    yield from _highest("early, same shape", np.clip(1 - each.before, 0, 1) * same, 3)
    yield from _highest("early, then late, same shape", each.pause * same, 2)


def _undisturbed(rr_s: Floats, each: Each) -> Iterator[Feature]:
    """Variation of the intervals away from early beats and pauses, and its frequencies."""
    off = (each.before < 0.88) | (each.after < 0.88) | (each.before > 1.15)
    kept = ~(off[1:] | off[:-1])
    rr, plenty = rr_s[kept], kept.sum() > FEWEST + 2
    yield "share undisturbed", float(kept.mean())
    spread = step = np.nan
    shares = np.full(3, np.nan)
    if rr.size >= FEWEST - 1:
        spread = float(rr.std() / rr.mean())
        step = float(np.sqrt(np.mean(np.diff(rr) ** 2)) / rr.mean())
    if plenty:
        even = np.interp(np.arange(0, rr.sum(), 0.25), np.cumsum(rr), rr)
        power = np.abs(np.fft.rfft((even - even.mean()) * np.hanning(even.size))) ** 2
        hz = np.fft.rfftfreq(even.size, 0.25)
        whole = power[hz > 0.03].sum() + TINY
        edges = np.array([0.03, 0.12, 0.25, 0.5])
        shares = np.histogram(hz, edges, weights=power)[0] / whole
    yield "undisturbed: variation", spread
    yield "undisturbed: root mean square difference", step
    for low, share in zip((0.03, 0.12, 0.25), shares, strict=True):
        yield f"undisturbed: from {low:g} Hz", float(share)
