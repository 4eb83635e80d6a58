"""Pacing pulses are no beats, whatever their size: IEC 60601-2-27:2011, 201.12.1.101.13.

Pulses of ±2 to ±700 mV that last 0.1 to 2 ms. An electrode amplifier averages over the time of a
sample; here, too.
"""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from ecg import Findings
from ecg.codes import BeatFlag, EpisodeKind


def add_pulses(x_mv, fs_hz, at_s, size_mv, width_ms):
    """Rectangles, averaged over the time that each sample stands for."""
    x = x_mv.astype(np.float64)
    edges = np.arange(x.shape[1] + 1) / fs_hz
    for begin_s in at_s:
        overlap = np.minimum(edges[1:], begin_s + width_ms * 1e-3) - np.maximum(edges[:-1], begin_s)
        x += size_mv * np.clip(overlap, 0.0, None) * fs_hz
    return x.astype(np.float32)


def beats_s(x_mv, fs_hz):
    analyzer = Analyzer(fs_hz)
    found = Findings.concat([analyzer.push(x_mv), analyzer.finish()])
    return found.beats["sample"] / fs_hz


PULSES = [(2.0, 0.1), (2.0, 2.0), (-20.0, 0.5), (200.0, 1.0), (700.0, 2.0), (-700.0, 2.0)]


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize(("size_mv", "width_ms"), PULSES)
def test_pulses_ahead_of_beats_change_nothing(heart, errors, fs_hz, size_mv, width_ms):
    x, r_s = heart(np.full(40, 0.85), fs_hz=fs_hz)
    at_s = np.concatenate([r_s - 0.21, r_s - 0.06])  # atrium and ventricle
    found = beats_s(add_pulses(x, fs_hz, at_s, size_mv, width_ms), fs_hz)
    assert errors(found[found > 3.95], [r for r in r_s if r > 4.0], 0.05) == (0, 0)


@pytest.mark.parametrize("fs_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize(("size_mv", "width_ms"), PULSES)
def test_pulses_that_do_not_capture_are_no_beats(heart, fs_hz, size_mv, width_ms):
    x, r_s = heart(np.full(25, 0.85), fs_hz=fs_hz)
    rng = np.random.default_rng(7)
    silence = rng.normal(0.0, 0.01, (1, int(20 * fs_hz))).astype(np.float32)
    stopped = np.concatenate([x, silence], axis=1)
    at_s = r_s[0] + 0.85 * np.arange(int(19 / 0.85) + 25) - 0.06
    found = beats_s(add_pulses(stopped, fs_hz, at_s, size_mv, width_ms), fs_hz)
    assert found.max() < r_s[-1] + 0.2


def paced(x_mv, fs_hz):
    analyzer = Analyzer(fs_hz)
    found = Findings.concat([analyzer.push(x_mv), analyzer.finish()])
    return found.with_classes(), [EpisodeKind(kind) for kind in found.episodes["kind"]]


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize(("size_mv", "width_ms"), [(-20.0, 0.5), (200.0, 1.0), (700.0, 2.0)])
def test_beats_behind_pulses_that_are_held_back_are_paced(heart, fs_hz, size_mv, width_ms):
    x, r_s = heart(np.full(40, 0.85), fs_hz=fs_hz)
    found, kinds = paced(add_pulses(x, fs_hz, r_s - 0.06, size_mv, width_ms), fs_hz)
    late = found.beats[found.beats["sample"] > 12 * fs_hz][:-1]
    assert set(late["code"].tolist()) == {ord("/")}
    assert set(late["aami"].tolist()) == {ord("Q")}
    assert np.all(late["flags"] & BeatFlag.PACED)
    assert kinds == [EpisodeKind.PACED]


def test_pulses_that_have_nothing_to_do_with_the_beats_pace_none(heart):
    x, r_s = heart(np.full(60, 0.85), fs_hz=250.0)
    at_s = np.arange(1.0, r_s[-1], 2.3)  # now and then one falls before a beat
    found, kinds = paced(add_pulses(x, 250.0, at_s, 50.0, 1.0), 250.0)
    assert EpisodeKind.PACED not in kinds
    assert ord("/") not in found.beats["code"]
