"""Ventricular fibrillation: its measures against a plain reference, and what is found where."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from detectors import fibrillation as vf
from dsp.synth import VF, VT, Asystole, Noise, Sinus, simulate
from ecg import Findings
from ecg.codes import EpisodeKind


def naive_measures(x):
    """The twelve measures, written with whole arrays."""
    v, d = x - x.mean(), np.diff(x)
    mean_size, steps = np.abs(v[1:]).sum(), np.abs(d).sum()
    half = min(max(int(np.pi * mean_size / steps + 0.5), 1), 50)
    leak = np.abs(v[half:] + v[:-half]).sum() / (np.abs(v[half:]).sum() + np.abs(v[:-half]).sum())
    by_second = np.abs(v).reshape(4, 50)
    far = np.mean(by_second > 0.2 * by_second.max(axis=1, keepdims=True))
    rest = np.sum(np.abs(d) < 0.1 * np.abs(d).max()) / x.size
    near = np.mean(np.abs(v) < 0.15 * np.abs(v[1:]).max())
    period_s = 2 * half / 50
    return {
        0: leak,
        1: far,
        2: np.sqrt(rest),
        3: np.log(x.size * np.sum(v[1:] ** 4) / np.sum(v[1:] ** 2) ** 2 + 1),
        4: np.log(x.size * np.sum(d**4) / np.sum(d**2) ** 2 + 1),
        5: np.log(np.abs(np.diff(d)).sum() / steps + 0.1),
        6: near,
        7: np.log(by_second.mean(axis=1).min() / (mean_size / x.size) + 0.1),
        8: np.log(np.abs(d).max() / (steps / x.size) + 1),
        9: min(period_s, 0.6),
        10: max(period_s - 0.32, 0),
        11: np.log(mean_size / x.size + 0.03),
    }


@pytest.mark.parametrize("seed", range(4))
def test_measures_are_those_of_a_plain_reference(seed):
    rng = np.random.default_rng(seed)
    t = np.arange(vf.WINDOW) / vf.SLOW_HZ
    x = np.sin(2 * np.pi * rng.uniform(2, 7) * t) + rng.normal(0, 0.2, t.size)
    lead = np.zeros(1, vf.FIBRILLATION)[0]
    lead["slow"][-vf.WINDOW :], lead["seconds"] = x, vf.SECONDS
    assert vf.measure(lead)
    expected = naive_measures(lead["slow"][-vf.WINDOW :].astype(np.float64))
    for i, value in expected.items():
        assert lead["measures"][i] == pytest.approx(value, rel=1e-4), vf.MEASURES[i]


def test_the_slow_signal_is_the_smoothed_one_of_every_fifth_sample():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 1000).astype(np.float32)
    lead = np.zeros(1, vf.FIBRILLATION)[0]
    for i in range(4):
        vf.take_second(lead, x[250 * i : 250 * (i + 1)], 0)
    taps = np.convolve(np.ones(5) / 5, np.ones(4) / 4)
    smooth = np.convolve(x, taps)[4 : x.size : 5]
    expected = smooth.copy()
    for _ in range(2):
        y, out, before = 0.0, [], 0.0
        for value in expected:
            y = float(vf.PASS) * (y + value - before)
            before = value
            out.append(y)
        expected = np.array(out)
    np.testing.assert_allclose(lead["slow"][-vf.WINDOW :], expected, atol=1e-5)


def episodes(segments, leads=("II", "V1"), seed=1, noise=None, fs_hz=250.0):
    record = simulate(segments, leads=leads, seed=seed, noise=noise, fs_hz=fs_hz).record
    analyzer = Analyzer(record.fs_hz, record.leads)
    found = Findings.concat([analyzer.push(record.x_mv), analyzer.finish()])
    rows = found.episodes[found.episodes["kind"] == EpisodeKind.VF]
    opened = rows[rows["end"] < 0]
    return opened["onset"] / fs_hz, rows[rows["end"] >= 0]["end"] / fs_hz


def kinds(segments):
    """Kinds of all episodes."""
    record = simulate(segments, seed=1).record
    return {
        EpisodeKind(k) for k in Analyzer(250.0, record.leads).push(record.x_mv).episodes["kind"]
    }


def noticed_s(segments, leads, seed, fs_hz=250.0):
    """When an episode is first told, s."""
    record = simulate(segments, leads=leads, seed=seed, fs_hz=fs_hz).record
    analyzer = Analyzer(record.fs_hz, record.leads)
    for at in range(0, record.n_samples, 50):
        found = analyzer.push(record.x_mv[:, at : at + 50])
        if np.any(found.episodes["kind"] == EpisodeKind.VF):
            return (at + 50) / fs_hz
    return np.inf


@pytest.mark.parametrize("leads", [("II",), ("II", "V1")])
@pytest.mark.parametrize(
    "wave",
    [
        VF(14, hz=3.5),
        VF(14, hz=5.5, amplitude_mv=0.25),
        VF(14, hz=4.5, amplitude_mv=1.0, flutter=True),
    ],
)
def test_fibrillation_and_flutter_are_told_within_eight_seconds(leads, wave):
    assert 10 < noticed_s([Sinus(10, bpm=80), wave], leads, seed=3) <= 18


def test_an_episode_begins_and_ends_near_its_truth():
    onset, end = episodes([Sinus(20, bpm=70), VF(20), Sinus(30, bpm=90)])
    assert onset == pytest.approx([20], abs=2)
    assert end == pytest.approx([40], abs=2.5)


def test_a_lost_signal_does_not_end_fibrillation_but_beats_do():
    record = simulate([Sinus(10), VF(20), Sinus(40)], leads=("II",), seed=4).record
    x = record.x_mv.copy()
    x[0, 22 * 250 : 45 * 250] = np.nan
    found = Analyzer(250.0).push(x).episodes
    rows = found[found["kind"] == EpisodeKind.VF]
    assert rows["end"].tolist()[0] == -1
    assert rows["end"][1] / 250 > 45


@pytest.mark.parametrize(
    "segments",
    [
        [Sinus(60, bpm=60)],
        [Sinus(30, bpm=170)],
        [Sinus(60, bpm=70, pattern="NV")],
        [Sinus(10), Asystole(15)],
        [Sinus(20), VT(20, bpm=130), Sinus(20)],
    ],
)
def test_beats_of_any_kind_and_silence_are_no_fibrillation(segments):
    assert episodes(segments)[0].size == 0


@pytest.mark.parametrize(
    ("bpm", "shape"),
    [
        (150, "apex"),
        (175, "apex"),
        (200, "apex"),
        (150, "left"),
        (175, "left"),
        (150, "outflow"),
        (175, "outflow"),
    ],
)
def test_even_wide_tachycardia_is_tachycardia_and_not_fibrillation(bpm, shape):
    told = kinds([Sinus(20, bpm=80), VT(15, bpm=bpm, shapes=(shape,)), Sinus(15, bpm=80)])
    assert EpisodeKind.VT in told
    assert EpisodeKind.VF not in told


def test_tachycardia_that_degenerates_is_fibrillation():
    told = kinds([Sinus(20, bpm=80), VT(10, bpm=200), VF(20)])
    assert told >= {EpisodeKind.VT, EpisodeKind.VF}


@pytest.mark.parametrize("kind", ["muscle", "electrode", "baseline"])
def test_noise_over_beats_is_no_fibrillation(kind):
    noise = (Noise(kind, snr_db=0.0, start_s=20, duration_s=30),)
    for seed in range(3):
        assert episodes([Sinus(60, bpm=75)], noise=noise, seed=seed)[0].size == 0


def test_mit_bih_207_is_found_and_nothing_beside_it(real):
    x, fs_hz, _ = real("207", 1500, 1700)
    analyzer = Analyzer(fs_hz, ("MLII", "V1"))
    found = Findings.concat([analyzer.push(x), analyzer.finish()])
    rows = found.episodes[found.episodes["kind"] == EpisodeKind.VF]
    ends = rows[rows["end"] >= 0]
    both = np.sum(
        np.clip(ends["end"] / fs_hz, 40.8, 138.6) - np.clip(ends["onset"] / fs_hz, 40.8, 138.6)
    )
    assert both > 0.9 * (138.6 - 40.8)
    assert ends["onset"].min() / fs_hz > 36
    assert ends["end"].max() / fs_hz < 144
