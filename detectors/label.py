"""One label for a record of one lead: N normal, A atrial fibrillation, O other rhythm, ~ too noisy.

The classes are those of the PhysioNet/CinC Challenge 2017. The record goes through the streaming
analysis; what that found and the signal at the analysis rate are described by the features of
`detectors.label_features`, and four forests vote. docs/arrhythmia.md has their figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors import fibrillation
from detectors.analyzer import Analyzer
from detectors.label_features import FEWEST_BEATS, features
from detectors.trees import load, score
from dsp.resample import ANALYSIS_HZ
from ecg import BadSignal, Findings
from ecg.findings import BEAT

LABELS = "NAO~"
SHORTEST_S = 5.0
UNKNOWN = -9.0  # stands for a feature that cannot be told


@dataclass(frozen=True, slots=True)
class RecordLabel:
    """What a record shows.

    Attributes
    ----------
    label : str
        `N`, `A`, `O` or `~`.
    probability : dict of str to float
        Of each label; they sum to 1.
    reason : str
        Why nothing else could be said, where the label is `~` by rule; else empty.
    """

    label: str
    probability: dict[str, float]
    reason: str = ""


def record_label(x_mv: ArrayLike, fs_hz: float) -> RecordLabel:
    """Label a whole record of one lead, best of 9 to 60 s.

    Parameters
    ----------
    x_mv : float [n_samples] or [1, n_samples]
        Millivolts; NaN where a sample is missing.
    fs_hz : float
        Sampling rate, 100 to 1,000 Hz.

    Raises
    ------
    BadSignal
        For more leads than one, or a rate that cannot be analysed.

    Examples
    --------
    >>> import numpy as np
    >>> record_label(np.zeros(900), 300.0).reason
    'the record lasts 3.0 s: at least 5 s are needed'
    """
    x = np.atleast_2d(np.asarray(x_mv, np.float32))
    if x.ndim != 2 or len(x) != 1:
        raise BadSignal(f"samples have the shape {x.shape}; give one lead, [n_samples]")
    seconds = x.shape[1] / fs_hz
    if seconds < SHORTEST_S:
        return _unreadable(
            f"the record lasts {seconds:.1f} s: at least {SHORTEST_S:g} s are needed"
        )
    signal, found, windows = watch(x, fs_hz)
    if found.beats.size < FEWEST_BEATS:
        return _unreadable(
            f"{found.beats.size} beats were found: at least {FEWEST_BEATS} are needed"
        )
    values = vector(features(signal, found, r_peaks(found, fs_hz), windows))
    forests = load("label")
    votes = np.array([score(forests[name], values) for name in LABELS], np.float64)
    share = np.exp(votes - votes.max())
    share /= share.sum()
    probability = dict(zip(LABELS, share.tolist(), strict=True))
    return RecordLabel(max(probability, key=probability.__getitem__), probability)


def _unreadable(reason: str) -> RecordLabel:
    return RecordLabel("~", {**dict.fromkeys(LABELS, 0.0), "~": 1.0}, reason)


def watch(
    x_mv: NDArray[np.float32], fs_hz: float
) -> tuple[NDArray[np.float64], Findings, NDArray[np.float64]]:
    """Run the analysis over a record of one lead.

    Returns
    -------
    signal : float64 [n]
        At the analysis rate.
    found : Findings
    windows : float64 [n_windows, n_measures]
        Measures of fibrillation of the windows that are judged, one a second.
    """
    analyzer = Analyzer(fs_hz)
    parts, found, windows, before = [], [], [], 0
    for begin in np.arange(0.0, x_mv.shape[1], fs_hz):
        found.append(analyzer.push(x_mv[:, round(begin) : round(begin + fs_hz)]))
        n = int(analyzer.state["head"]["n"][0])
        lead = analyzer.state["leads"][0, 0]
        parts.append(lead["signal"][np.arange(before, n) % lead["signal"].size])
        if n // int(ANALYSIS_HZ) > before // int(ANALYSIS_HZ):
            fib = lead["fib"].copy()
            if fibrillation.measure(fib):
                windows.append(fib["measures"].astype(np.float64))
        before = n
    found.append(analyzer.finish())
    whole = Findings.concat(found)
    order = np.argsort(whole.beats["sample"], kind="stable")
    whole = replace(whole, beats=whole.beats[order])
    table = np.array(windows).reshape(-1, fibrillation.N_MEASURES)
    return np.concatenate(parts).astype(np.float64), whole, table


def r_peaks(found: Findings, fs_hz: float) -> NDArray[np.float64]:
    """R peaks as analysis samples."""
    return np.asarray(found.beats["sample"] * ANALYSIS_HZ / fs_hz, np.float64)


def vector(values: dict[str, float]) -> NDArray[np.float32]:
    """Features in the order in which the forests know them."""
    names = feature_names()
    row = np.array([values.get(name, np.nan) for name in names], np.float32)
    return np.where(np.isfinite(row), row, np.float32(UNKNOWN)).astype(np.float32)


@cache
def feature_names() -> tuple[str, ...]:
    """Names of the features, in order: those of a made-up record that has them all."""
    t = np.arange(20 * int(ANALYSIS_HZ)) / ANALYSIS_HZ
    r = np.arange(1.0, 19.0, 0.8) * ANALYSIS_HZ
    x = np.exp(-0.5 * ((t[:, None] - r / ANALYSIS_HZ) / 0.02) ** 2).sum(axis=1)
    windows = np.zeros((1, fibrillation.N_MEASURES))
    return tuple(features(x, Findings(np.zeros(r.size, BEAT)), r, windows))
