"""Beats are found whatever the gain, polarity, offset, rate and width; and none where none are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from detectors import Analyzer
from ecg import Findings
from ecg.codes import BeatFlag


def beats_of(x, fs_hz):
    analyzer = Analyzer(fs_hz, tuple(f"L{i}" for i in range(len(x))))
    return Findings.concat([analyzer.push(x), analyzer.finish()]).beats


@pytest.fixture(scope="module")
def all_found(errors):
    def check(x, r_s, fs_hz=360.0, learning_s=4.0):
        found = beats_of(x, fs_hz)["sample"] / fs_hz
        late = [r for r in r_s if r > learning_s]
        early = np.array([r for r in r_s if r <= learning_s])
        learnt = [
            f for f in found if f > learning_s - 0.05 and not (np.abs(early - f) < 0.05).any()
        ]
        assert errors(learnt, late, 0.05) == (0, 0)

    return check


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.0, 5.0, 10.0, -1.0, -0.1])
def test_gain_and_polarity_do_not_matter(heart, all_found, gain):
    x, r_s = heart(np.full(30, 0.8))
    all_found(gain * x, r_s)


@pytest.mark.parametrize("offset_mv", [-300.0, 5.0, 300.0])
def test_a_constant_offset_does_not_matter(heart, all_found, offset_mv):
    x, r_s = heart(np.full(30, 0.8))
    all_found(x + np.float32(offset_mv), r_s)


@pytest.mark.parametrize("fs_hz", [100, 125, 200, 250, 257, 360, 500, 999.5, 1000])
def test_any_rate_will_do(heart, all_found, fs_hz):
    x, r_s = heart(np.random.default_rng(1).uniform(0.6, 1.0, 40), fs_hz=fs_hz)
    all_found(x, r_s, fs_hz)


@pytest.mark.parametrize("bpm", [15, 30, 60, 120, 180, 240, 300])
def test_heart_rates_from_15_to_300(heart, all_found, bpm):
    n = max(12, int(bpm / 4))
    x, r_s = heart(np.full(n, 60.0 / bpm), qrs_s=0.06)
    all_found(x, r_s, learning_s=60.0 * 5 / bpm + 2.13)


@pytest.mark.parametrize("bpm", [180, 240])
def test_an_analysis_that_begins_amid_a_fast_rhythm(heart, all_found, bpm):
    x, r_s = heart(np.full(120, 60.0 / bpm), qrs_s=0.08)
    begin_s = r_s[2] + 0.05
    all_found(x[:, int(begin_s * 360.0) :], r_s - int(begin_s * 360.0) / 360.0, learning_s=6.0)


@pytest.mark.parametrize("noise_mv", [0.01, 0.03, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("waxing", [0.0, 0.5])
def test_noise_without_a_heart_gives_next_to_no_beats(noise_mv, waxing):
    noise = np.random.default_rng(0).normal(0.0, noise_mv, (1, 5 * 60 * 250))
    t = np.arange(noise.size) / 250.0
    noise *= 1.0 + waxing * np.sin(2 * np.pi * 0.2 * t)
    assert beats_of(noise.astype(np.float32), 250.0).size <= 5


def test_a_jump_from_60_to_180(heart, all_found):
    x, r_s = heart(np.r_[np.full(20, 1.0), np.full(60, 1 / 3), np.full(20, 1.0)])
    all_found(x, r_s)


@pytest.mark.parametrize(("r_mv", "qrs_s"), [(0.5, 0.04), (5.0, 0.04), (0.5, 0.12), (5.0, 0.12)])
def test_qrs_of_half_to_five_millivolts_and_40_to_120_ms(heart, all_found, r_mv, qrs_s):
    x, r_s = heart(np.full(30, 0.8), r_mv=r_mv, qrs_s=qrs_s)
    all_found(x, r_s)


def test_tall_t_waves_are_no_beats(heart, all_found):
    x, r_s = heart(np.full(40, 0.9), r_mv=1.0, t_mv=1.2)
    all_found(x, r_s)


@pytest.mark.parametrize("line_hz", [49.9, 50.0, 60.0, 60.1])
def test_powerline_of_half_a_millivolt(heart, all_found, line_hz):
    x, r_s = heart(np.full(30, 0.8))
    t = np.arange(x.shape[1]) / 360.0
    all_found(x + np.float32(0.5) * np.sin(2 * np.pi * line_hz * t).astype(np.float32), r_s)


def test_a_lead_that_falls_off_leaves_the_work_to_the_other(heart, all_found):
    x, r_s = heart(np.full(40, 0.8))
    both = np.concatenate([x, 0.5 * x])
    both[0, 5000:] = np.nan
    all_found(both, r_s)


def test_a_gap_in_all_leads_costs_only_its_own_beats(heart, errors):
    x, r_s = heart(np.full(40, 0.8))
    x[:, 5000:7000] = np.nan
    x[:, 7000:] += 2.0  # an electrode that is back sits at another potential
    found = beats_of(x, 360.0)["sample"] / 360.0
    there = [r for r in r_s if r > 4 and not 13.6 < r < 19.7]
    assert errors(found[found > 3.95], there, 0.05) == (0, 0)


@pytest.mark.parametrize("noise_mv", [0.0, 0.005, 0.02])
def test_asystole_after_a_rhythm_gives_no_beats(heart, noise_mv):
    x, r_s = heart(np.full(30, 0.8), noise_mv=0.005)
    silence = np.random.default_rng(2).normal(0.0, noise_mv, (1, 60 * 360)).astype(np.float32)
    found = beats_of(np.concatenate([x, silence], axis=1), 360.0)["sample"] / 360.0
    assert found.max() < r_s[-1] + 0.1


def test_a_signal_that_is_all_flat_gives_no_beats():
    assert beats_of(np.full((1, 36_000), 1.7, np.float32), 360.0).size == 0


def test_what_is_told_of_a_beat(heart):
    x, r_s = heart(np.full(30, 0.8))
    beats = beats_of(x, 360.0)
    assert set(beats["code"]) == {ord("?")}  # told at once, the class follows
    assert np.isnan(beats["rr_s"][0])
    assert np.allclose(beats["rr_s"][1:], 0.8, atol=0.01)
    assert beats["flags"][0] & BeatFlag.LEARNING
    assert not beats["flags"][-1]
    assert ((beats["confidence"] >= 0.5) & (beats["confidence"] <= 1.0)).all()
    assert np.abs(beats["sample"] / 360.0 - r_s).max() < 0.006


def test_a_beat_is_told_within_600_ms_and_through_sample_keeps_its_word(heart):
    x, _ = heart(np.random.default_rng(4).uniform(0.4, 1.2, 60), fs_hz=250.0)
    analyzer, through = Analyzer(250.0), 0
    for i in range(x.shape[1]):
        found = analyzer.push(x[:, i : i + 1])
        for beat in found.beats:
            if not beat["flags"] & BeatFlag.SEARCH_BACK:
                assert beat["sample"] >= through
                assert i - beat["sample"] <= 150
        through = found.through_sample
        assert i - through <= 160


@pytest.mark.parametrize("noise_mv", [0.0, 0.01, 0.02])
def test_silence_is_known_within_120_ms_and_no_beat_was_in_it(heart, noise_mv):
    x, _ = heart(np.full(20, 0.8), fs_hz=250.0, noise_mv=noise_mv)
    silent = np.random.default_rng(5).normal(0.0, noise_mv, (1, 750)).astype(np.float32)
    analyzer, quiet, behind = Analyzer(250.0), 0, []
    for i, sample in enumerate(np.hstack([x, silent]).T):
        found = analyzer.push(sample[:, None])
        for beat in found.beats:
            assert beat["flags"] & BeatFlag.SEARCH_BACK or beat["sample"] >= quiet
        assert found.quiet_sample >= found.through_sample
        quiet = found.quiet_sample
        if i > x.shape[1] + 250:
            behind.append(i - quiet)
    assert np.mean(behind) <= 30


def test_silence_is_not_known_while_a_beat_may_be_pending(heart):
    x, r_all_s = heart(np.full(20, 0.8), fs_hz=250.0)
    analyzer, told = Analyzer(250.0), []
    for i in range(x.shape[1]):
        found = analyzer.push(x[:, i : i + 1])
        told.append((found.through_sample, found.quiet_sample))
    for r_s in r_all_s[10:]:  # of a beat that is known after 0.4 s at the soonest
        r = round(250.0 * r_s)
        for through, quiet in told[r + 21 : r + 75]:
            assert quiet == through < r


@pytest.mark.parametrize("record", ["104", "107", "203", "208"])
def test_no_beat_of_a_real_record_comes_from_a_silence_that_was_told(real, record):
    x, fs_hz, _ = real(record, 300, 420)
    analyzer, quiet = Analyzer(fs_hz, ("MLII", "V1")[: len(x)]), 0
    for at in range(0, x.shape[1], 18):
        found = analyzer.push(x[:, at : at + 18])
        for beat in found.beats:
            assert beat["flags"] & BeatFlag.SEARCH_BACK or beat["sample"] >= quiet
        quiet = found.quiet_sample


def test_a_clear_beat_is_told_within_360_ms(heart):
    x, _ = heart(np.full(30, 0.8), fs_hz=250.0)
    analyzer, delays = Analyzer(250.0), []
    for i in range(x.shape[1]):
        beats = analyzer.push(x[:, i : i + 1]).beats
        known = beats["flags"] == 0
        delays += (i - beats["sample"][known]).tolist()
    assert len(delays) > 15
    assert max(delays) / 250.0 <= 0.36


@pytest.mark.parametrize(("record", "most"), [("119", 4), ("215", 4), ("230", 4)])
def test_real_records(real, errors, record, most):
    x, fs_hz, expected = real(record, 300, 600)
    found = beats_of(x[:1], fs_hz)["sample"]
    late = expected[expected > 4 * fs_hz]
    assert sum(errors(found[found > 3.9 * fs_hz], late, 0.15 * fs_hz)) <= most


@pytest.mark.parametrize("gain", [0.1, 10.0, -1.0])
@pytest.mark.parametrize("record", ["119", "230"])
def test_real_records_at_another_gain_give_the_same_beats(real, errors, record, gain):
    x, fs_hz, _ = real(record, 300, 420)
    own, changed = (beats_of(y[:1], fs_hz)["sample"] for y in (x, np.float32(gain) * x))
    assert errors(changed, own, 1) == (0, 0)


@pytest.mark.parametrize("rate_hz", [125, 200, 250, 257, 500, 1000])
@pytest.mark.parametrize("record", ["119", "230"])
def test_real_records_at_another_rate_give_the_same_beats(real, errors, record, rate_hz):
    x, fs_hz, _ = real(record, 300, 420)
    resampled = resample_poly(x[:1], rate_hz, 360, axis=1).astype(np.float32)
    own = beats_of(x[:1], fs_hz)["sample"] / fs_hz
    assert errors(beats_of(resampled, float(rate_hz))["sample"] / rate_hz, own, 0.02) == (0, 0)


@pytest.mark.parametrize("line_hz", [50.1, 59.9])
@pytest.mark.parametrize("record", ["119", "230"])
def test_real_records_with_hum_of_half_a_millivolt(real, errors, record, line_hz):
    x, fs_hz, _ = real(record, 300, 420)
    hum = 0.5 * np.sin(2 * np.pi * line_hz * np.arange(x.shape[1]) / fs_hz)
    own = beats_of(x[:1], fs_hz)["sample"] / fs_hz
    found = beats_of(x[:1] + hum.astype(np.float32), fs_hz)["sample"] / fs_hz
    known_s = 5.0  # by then the hum is known
    assert errors(found[found > known_s], own[own > known_s], 0.02) == (0, 0)


@pytest.mark.parametrize("share", [0.3, 0.2])
def test_a_height_that_falls_at_once_is_learnt_anew(heart, share):
    x, r_s = heart(np.full(60, 0.8), noise_mv=0.002)
    falls_s = 24.0
    x[:, int(falls_s * 360) :] *= np.float32(share)
    found = beats_of(x, 360.0)["sample"] / 360.0
    late = r_s[r_s > falls_s + 8.0]
    assert all(np.abs(found - r).min() < 0.05 for r in late)


@pytest.mark.parametrize("p_mv", [0.05, 0.1])
def test_p_waves_that_go_on_when_the_ventricles_stop_are_no_beats(heart, p_mv):
    x, r_s = heart(np.full(40, 0.8))
    stop_s = r_s[-1] + 0.6
    t = np.arange(30 * 360) / 360.0
    noise = np.random.default_rng(3).normal(0.0, 0.01, t.size)
    alone = p_mv * np.exp(-0.5 * ((t % 0.8 - 0.4) / 0.025) ** 2) + noise
    x = np.hstack([x[:, : int(stop_s * 360)], alone[None, :].astype(np.float32)])
    found = beats_of(x, 360.0)["sample"] / 360.0
    assert np.sum(found > stop_s) == 0
    assert np.sum(found > stop_s - 10) > 8
