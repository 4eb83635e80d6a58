"""Looking back: the usual beat, beats of another kind, oscillations, on simulated leads."""

import numpy as np
import pytest

from detectors.lookback import companions, leakage, look_back, shifted, to_grid, unit
from dsp.synth import VF, VT, Asystole, Noise, Sinus, simulate
from ecg.codes import QualityCode


def look(script, span_s=20.0, fs_hz=250.0, leads=("II", "V1"), noise=()):
    made = simulate(script, fs_hz=fs_hz, leads=leads, seed=4, noise=noise)
    record = made.record
    views = look_back(record.x_mv, record.fs_hz, record.leads, span_s)
    return views, made.truth


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 360.0, 500.0])
def test_sinus_beats_are_all_usual(fs_hz):
    views, truth = look([Sinus(60, bpm=75)], fs_hz=fs_hz)
    beats = truth.r_samples[truth.r_samples > 41 * fs_hz]
    for view in views:
        assert view.usual_share > 0.95
        assert view.beats["familiar"].min() > 0.95
        assert np.abs(view.beats["slower"] - 1).max() < 0.3
        found = view.searched["sample"]
        hit = [np.abs(found - r).min() < 0.05 * fs_hz for r in beats[:-1]]
        assert all(hit)


def test_a_run_of_ventricular_beats_is_of_another_kind():
    views, truth = look([Sinus(50, bpm=75), VT(5, bpm=160), Sinus(5, bpm=75)])
    is_v = np.array([c == "V" for c in truth.codes])
    v_samples = truth.r_samples[is_v]
    view = views[0]
    near = np.abs(view.beats["sample"][:, None] - v_samples[None, :]).min(axis=1) < 30
    assert near.sum() >= 8
    assert np.median(view.beats["familiar"][near]) < 0.9
    assert np.median(view.beats["companions"][near]) >= 4
    assert np.median(view.beats["familiar"][~near]) > 0.95


def test_a_lead_is_looked_at_where_only_another_has_a_beat():
    """A lead that is off for a while misses beats; where they are is known from the other."""
    off = Noise("lead off", start_s=50, duration_s=5, leads=("V1",))
    views, _ = look([Sinus(60, bpm=75)], noise=[off])
    ii, v1 = views
    assert v1.beats.size < ii.beats.size - 4
    assert abs(v1.joint.size - ii.beats.size) <= 2
    assert np.all(np.diff(v1.joint["sample"]) > 0)


def test_a_usual_beat_after_an_artifact_is_found_by_its_shape():
    made = simulate([Sinus(60, bpm=60)], leads=["II"], seed=4)
    x = made.record.x_mv.copy()
    x[0, 52 * 250 : 53 * 250] += 20 * np.sign(np.sin(np.arange(250) / 8)).astype(np.float32)
    (view,) = look_back(x, 250.0, ("II",), 20.0)
    after = made.truth.r_samples[(made.truth.r_samples > 53.5 * 250)][:-1]
    found = view.searched["sample"]
    assert all(np.abs(found - r).min() < 12 for r in after)


def test_fibrillation_oscillates_and_sinus_rhythm_does_not():
    sinus, _ = look([Sinus(60, bpm=75)])
    fibrillating, _ = look([Sinus(50, bpm=75), VF(10)])
    assert min(view.seconds["leakage"].min() for view in sinus) > 0.625
    assert fibrillating[0].seconds["leakage"][-3:].min() < 0.5


def test_standstill_is_quiet():
    (view,), _ = look([Sinus(54, bpm=75), Asystole(6)], leads=("II",))
    assert view.seconds["steepest"][-4:].max() < 0.2 * view.seconds["steepest"][:10].min()


def test_nothing_but_nan_has_no_beats_and_says_that_the_lead_is_off():
    (view,) = look_back(np.full((1, 30 * 250), np.nan, np.float32), 250.0, ("II",), 20.0)
    assert view.beats.size == view.joint.size == view.searched.size == 0
    assert set(view.seconds["code"]) == {QualityCode.LEAD_OFF}
    assert view.seconds["stuck"].min() == 1.0
    assert view.usual_share == 0.0


def test_times_count_from_the_start_of_the_record():
    made = simulate([Sinus(40, bpm=75)], leads=["II"], seed=4)
    plain = look_back(made.record.x_mv, 250.0, ("II",), 20.0)[0]
    later = look_back(made.record.x_mv, 250.0, ("II",), 20.0, start_ns=10**18)[0]
    assert np.array_equal(
        later.beats["t_ns"] - plain.beats["t_ns"], np.full(plain.beats.size, 10**18)
    )
    assert np.array_equal(later.beats["sample"], plain.beats["sample"])


@pytest.mark.parametrize("hz", [3.0, 4.0, 5.0, 7.0])
def test_leakage_of_a_sine_is_low_and_its_period_is_told(hz):
    t = np.arange(500) / 125
    left, period_s = leakage(np.sin(2 * np.pi * hz * t), 125.0)
    assert left < 0.25
    assert period_s == pytest.approx(1 / hz, rel=0.1)


def test_leakage_of_noise_and_of_nothing_is_high():
    assert leakage(np.random.default_rng(1).normal(size=500), 125.0)[0] > 0.7
    assert leakage(np.zeros(500), 125.0)[0] == 1.0
    assert leakage(np.zeros(10), 125.0)[0] == 1.0


def naive_companions(pieces):
    """Pair by pair, either beat moved to fit the other."""
    n = len(pieces.raw)
    count = np.zeros(n, int)
    for i in range(n):
        for j in range(n):
            a = max(float(p @ pieces.unit[j]) for p in pieces.shifted[i])
            b = max(float(p @ pieces.unit[i]) for p in pieces.shifted[j])
            count[i] += i != j and max(a, b) > 0.9
    return count


def test_companions_equal_the_plain_count():
    rng = np.random.default_rng(8)
    grid = np.cumsum(rng.normal(size=3000)) * 0.05
    pieces = shifted(grid, np.sort(rng.choice(np.arange(40, 2900), 40, replace=False)))
    chosen = np.ones(40, bool)
    assert np.array_equal(companions(pieces, chosen), naive_companions(pieces))
    chosen[::2] = False
    assert np.array_equal(companions(pieces, chosen), naive_companions(pieces)[1::2])


def test_the_grid_holds_what_is_missing_and_smooths_hum_away():
    x = np.ones(1000, np.float32)
    x[300:400] = np.nan
    assert np.allclose(to_grid(x, 250.0), 1.0)
    t = np.arange(2500) / 250
    hum = np.sin(2 * np.pi * 60 * t).astype(np.float32)
    assert np.ptp(to_grid(hum, 250.0)[10:-10]) < 0.15


def test_unit_pieces_have_no_mean_and_power_one():
    pieces = unit(np.random.default_rng(2).normal(3, 1, (5, 34)))
    assert np.allclose(pieces.mean(axis=1), 0)
    assert np.allclose((pieces**2).sum(axis=1), 1)
    assert np.array_equal(unit(np.full((1, 34), 2.0)), np.zeros((1, 34)))
