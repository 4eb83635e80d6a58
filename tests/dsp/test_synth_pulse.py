"""The simulated pulse: one for each beat, weak where the heart had no time to fill."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from dsp.synth import VF, VT, Asystole, Sinus, pulse_wave, simulate

FS = 250.0


@pytest.fixture
def pulse():
    def make(script, **options):
        simulated = simulate(script, fs_hz=FS, seed=3)
        return simulated, pulse_wave(simulated.truth, FS, simulated.record.n_samples, **options)

    return make


def test_each_sinus_beat_makes_a_pulse_after_its_delay(pulse):
    simulated, wave = pulse([Sinus(30, bpm=70)])
    tops, _ = find_peaks(wave, prominence=0.4)
    beats = simulated.truth.r_samples[:-1]
    assert len(tops) >= len(beats)
    delays_s = (tops[: len(beats)] - beats) / FS
    assert np.all((delays_s > 0.22) & (delays_s < 0.5))


def test_ventricular_runs_and_standstill_take_the_pulse_away(pulse):
    _, wave = pulse([Sinus(10, bpm=70), VT(5, bpm=200), Asystole(5)])
    assert np.ptp(wave[int(12 * FS) : int(15 * FS)]) < 0.6 * np.ptp(wave[: int(10 * FS)])
    assert np.ptp(wave[int(17 * FS) :]) < 0.1


def test_fibrillation_pumps_nothing(pulse):
    _, wave = pulse([Sinus(10, bpm=70), VF(6)])
    assert np.ptp(wave[int(13 * FS) :]) < 0.1


def test_same_seed_same_noise(pulse):
    (_, a), (_, b) = (pulse([Sinus(5)], noise=0.05, seed=7) for _ in range(2))
    assert a.tobytes() == b.tobytes()
