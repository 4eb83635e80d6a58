"""Atrial flutter is told from fibrillation, and from beats that are irregular for other reasons."""

from __future__ import annotations

import numpy as np
import pytest

from archive.analysis import analyze_record
from detectors import flutter, window
from dsp.synth import AF, Flutter, Noise, Sinus, simulate
from ecg.codes import EpisodeKind

NOISE = (Noise("baseline", rms_mv=0.03), Noise("muscle", rms_mv=0.008))


def analysed(segments, leads=("II", "V1"), seed=1):
    record = simulate(segments, leads=leads, seed=seed, noise=NOISE).record
    return analyze_record(record), record.fs_hz


def of_kind(found, kind):
    return found.episodes[found.episodes["kind"] == kind]


@pytest.mark.parametrize(
    ("leads", "ratios", "per_min"),
    [
        (("II", "V1"), (4, 2, 3, 4), 300),
        (("II", "V1"), (4, 3), 280),
        (("II", "V1"), (2, 2, 4), 250),
        (("II",), (4, 3), 280),
    ],
)
def test_flutter_with_a_varying_ratio_is_told_with_its_rate(leads, ratios, per_min):
    found, fs_hz = analysed([Sinus(10), Flutter(50, ratios=ratios, flutter_bpm=per_min)], leads)
    episodes = of_kind(found, EpisodeKind.FLUTTER)
    assert len(episodes) == 1
    assert episodes[0]["onset"] / fs_hz == pytest.approx(10, abs=11)
    assert episodes[0]["evidence"][1] == pytest.approx(per_min, abs=6)
    assert 0.5 < episodes[0]["confidence"] <= 1.0


def test_flutter_and_fibrillation_are_never_told_of_the_same_time():
    found, _ = analysed([AF(60), Flutter(60, ratios=(4, 2, 3, 4)), AF(60)])
    spans = [
        [(e["onset"], e["end"] if e["end"] >= 0 else 1 << 40) for e in of_kind(found, kind)]
        for kind in (EpisodeKind.FLUTTER, EpisodeKind.AF)
    ]
    assert all(spans)
    assert not any(max(a, c) < min(b, d) for a, b in spans[0] for c, d in spans[1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "segments",
    [
        [AF(60, bpm=90)],
        [AF(60, bpm=130, f_wave_mv=0.2)],
        [Sinus(60, bpm=75, hrv=0.12)],
        [Sinus(60, bpm=75, pattern="NNNA")],
        [Sinus(60, bpm=75, pattern="NNV")],
    ],
)
def test_what_is_irregular_otherwise_is_no_flutter(segments, seed):
    found, _ = analysed(segments, seed=seed)
    assert of_kind(found, EpisodeKind.FLUTTER).size == 0


@pytest.mark.parametrize(("name", "from_s"), [("201", 0), ("203", 0), ("119", 300)])
def test_irregular_patients_without_flutter(real, name, from_s):
    from ecg import Record

    x, fs_hz, _ = real(name, from_s, from_s + 300)
    found = analyze_record(Record(name, fs_hz, ("A", "B"), x))
    assert of_kind(found, EpisodeKind.FLUTTER).size == 0


def test_the_spectrum_is_that_of_a_plain_reference():
    rng = np.random.default_rng(5)
    y = rng.normal(0.0, 0.1, window.SIZE).astype(np.float32)
    weight = (rng.random(y.size) > 0.2).astype(np.float32)
    power = np.empty(flutter.RATES, np.float32)
    flutter.spectrum(y, weight, power)
    hz = flutter.LOW_HZ + flutter.STEP_HZ * np.arange(flutter.RATES)
    centred = (y - np.average(y, weights=weight)) * weight
    waves = np.exp(-2j * np.pi * hz[:, None] * np.arange(y.size) / flutter.SLOW_HZ)
    expected = 2 * np.abs(waves @ centred) ** 2 / weight.sum() / np.sum(centred**2)
    np.testing.assert_allclose(power, expected, rtol=1e-2, atol=1e-4)


def test_the_mean_beat_leaves_with_the_beats():
    beat = np.hanning(flutter.FROM + flutter.TO).astype(np.float32)
    r = np.array([40, 90, 150, 230, 300, 370, 440], np.int64)
    x = np.zeros(window.SIZE, np.float32)
    for at in r:
        x[at - flutter.FROM : at + flutter.TO] += beat
    out, room = np.empty_like(x), np.empty((2, beat.size), np.float32)
    window.without_beat(x, r, r.size, (flutter.FROM, flutter.TO), room, out)
    assert np.abs(out).max() < 1e-5
