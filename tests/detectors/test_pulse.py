"""Pulses: found where simulated beats made them, at any rate and however the stream is cut."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.pulse import PulseAnalyzer, find_pulses
from dsp.synth import AF, Asystole, Sinus, pulse_wave, simulate
from ecg import BadSignal
from ecg.codes import QualityCode


def simulated_pulse(script, fs_hz=250.0, noise=0.0, seed=2):
    made = simulate(script, fs_hz=fs_hz, seed=seed)
    wave = pulse_wave(made.truth, fs_hz, made.record.n_samples, noise=noise, seed=seed)
    return wave[None, :], made.truth.r_samples / fs_hz


def missed_and_extra(pulses, r_s, fs_hz, from_s=5.0, until_s=np.inf):
    """Beats from the sixth second on without a pulse 0.2 to 0.45 s later, and pulses too many."""
    at = pulses["sample"] / fs_hz
    wanted = r_s[(r_s > from_s) & (r_s < until_s)]
    hit = [np.any((at > r + 0.2) & (at < r + 0.45)) for r in wanted]
    found = at[(at > from_s + 0.45) & (at < until_s)]
    own = [np.any((a > r_s + 0.2) & (a < r_s + 0.45)) for a in found]
    return len(hit) - sum(hit), len(own) - sum(own)


@pytest.mark.parametrize("bpm", [40, 75, 120, 170])
@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 500.0])
def test_each_beat_has_its_pulse(bpm, fs_hz):
    x, r_s = simulated_pulse([Sinus(40, bpm=bpm)], fs_hz)
    pulses, _ = find_pulses(x, fs_hz)
    assert missed_and_extra(pulses, r_s, fs_hz, until_s=39.0) == (0, 0)
    assert np.median(pulses["quality"][8:]) > 0.95
    assert np.median(pulses["interval_s"][8:]) == pytest.approx(60 / bpm, rel=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
@pytest.mark.parametrize("offset", [0.0, 80.0])
def test_no_unit_need_be_known(scale, offset):
    x, r_s = simulated_pulse([Sinus(40, bpm=75)], noise=0.01)
    pulses, _ = find_pulses(offset * scale + scale * x, 250.0)
    assert missed_and_extra(pulses, r_s, 250.0, until_s=39.0) == (0, 0)
    swing = np.ptp(x[0, -5 * 250 :])
    assert np.median(pulses["height"][8:]) == pytest.approx(scale * swing, rel=0.15)


def test_standstill_has_no_credible_pulse():
    x, _ = simulated_pulse([Sinus(30, bpm=75), Asystole(8)], noise=0.01)
    pulses, _ = find_pulses(x, 250.0)
    late = pulses[pulses["sample"] > 31 * 250]
    assert not np.any(late["quality"] > 0.8)


def test_irregular_rhythm_loses_few_pulses():
    x, r_s = simulated_pulse([AF(60, bpm=90)])
    pulses, _ = find_pulses(x, 250.0)
    missed, extra = missed_and_extra(pulses, r_s, 250.0, until_s=59.0)
    assert missed <= 0.1 * r_s.size
    assert extra <= 1


def test_noise_alone_is_of_poor_quality():
    x = np.random.default_rng(4).normal(0, 1, (1, 60 * 250)).astype(np.float32)
    pulses, _ = find_pulses(np.cumsum(x, axis=1), 250.0)
    assert np.mean(pulses["quality"] > 0.85) < 0.5


def test_a_flush_is_forgotten():
    """A line that is flushed swings 20 times as high as the pulses that follow."""
    x, r_s = simulated_pulse([Sinus(60, bpm=75)])
    x[0, 250 * 10 : 250 * 14] = 20 * np.sign(np.sin(np.arange(1000) / 40))
    pulses, _ = find_pulses(x, 250.0)
    assert missed_and_extra(pulses, r_s, 250.0, from_s=30.0, until_s=59.0) == (0, 0)
    assert np.median(pulses["quality"][-10:]) > 0.9


@pytest.mark.parametrize(
    ("signal", "code"),
    [(0.0, QualityCode.FLAT), (np.nan, QualityCode.LEAD_OFF)],
)
def test_a_channel_without_signal_says_so(signal, code):
    pulses, seconds = find_pulses(np.full((1, 2500), signal, np.float32), 250.0)
    assert pulses.size == 0
    assert set(seconds["code"]) == {code}


def test_missing_samples_spoil_no_other_pulse():
    x, r_s = simulated_pulse([Sinus(40, bpm=75)])
    x[0, 20 * 250 : 22 * 250] = np.nan
    pulses, _ = find_pulses(x, 250.0)
    good = pulses[pulses["quality"] > 0.8]
    missed, extra = missed_and_extra(good, r_s, 250.0, from_s=25.0, until_s=39.0)
    assert (missed, extra) == (0, 0)
    gap = pulses[(pulses["sample"] > 20.3 * 250) & (pulses["sample"] < 22 * 250)]
    assert not np.any(gap["quality"] > 0)


X, _ = simulated_pulse([Sinus(12, bpm=80), AF(8)], noise=0.02)
X = np.concatenate([X, 3 - X])
WHOLE = find_pulses(X, 360.0)


def test_a_saved_state_goes_on_to_the_bit():
    analyzer = PulseAnalyzer(360.0, 2)
    first = analyzer.push(X[:, :3000])[0]
    rest = PulseAnalyzer.restore(analyzer.state.tobytes()).push(X[:, 3000:])[0]
    joined = np.concatenate([first, rest])
    for name in joined.dtype.names:
        assert joined[name].tobytes() == WHOLE[0][name].tobytes()


@pytest.mark.parametrize("blob", [b"", b"nothing of ours", bytes(10_000)])
def test_what_is_no_state_is_refused(blob):
    with pytest.raises(BadSignal, match="no saved pulse state"):
        PulseAnalyzer.restore(blob)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, X.shape[1]), max_size=12))
def test_findings_do_not_depend_on_how_the_stream_is_cut(cuts):
    analyzer = PulseAnalyzer(360.0, 2)
    edges = [0, *sorted(cuts), X.shape[1]]
    parts = [analyzer.push(X[:, a:b]) for a, b in itertools.pairwise(edges)]
    for i in range(2):
        joined = np.concatenate([p[i] for p in parts])
        for name in joined.dtype.names:  # bytes between the fields are nobody's
            assert joined[name].tobytes() == WHOLE[i][name].tobytes()


@pytest.mark.parametrize("wrong", [(50.0, 1), (2000.0, 1), (250.0, 0), (250.0, 9)])
def test_what_cannot_be_analysed_is_refused(wrong):
    with pytest.raises(BadSignal):
        PulseAnalyzer(*wrong)


def test_a_wrong_shape_is_refused():
    with pytest.raises(BadSignal, match="2 channels"):
        PulseAnalyzer(250.0, 2).push(np.zeros((1, 10), np.float32))
