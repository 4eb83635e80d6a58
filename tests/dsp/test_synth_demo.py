"""Simulated patients of the demo: they last, they show what they are named for, they loop."""

import numpy as np
import pytest

from dsp.synth import DEMO, VF, Noise, Sinus, demo_record, repeated, simulate
from dsp.synth.loop import SEARCH_S, closed

FS_HZ = 250.0


@pytest.mark.parametrize("name", DEMO)
@pytest.mark.parametrize("minutes", [0.5, 10.0])
def test_a_patient_lasts_as_long_as_asked_to_within_the_seam(name, minutes):
    record = demo_record(name, minutes)
    assert minutes * 60 - SEARCH_S <= record.duration_s <= minutes * 60
    assert record.leads == ("II", "V1")
    assert np.isfinite(record.x_mv).all()
    assert np.abs(record.x_mv).max() < 5


@pytest.mark.parametrize(
    ("name", "rhythm"),
    [("ventricular tachycardia, self-ending", "(VT"), ("asystole episode", "(ASYS")],
)
def test_alarming_episodes_come_within_a_minute_and_every_two_to_three(name, rhythm):
    atr = simulate(repeated(DEMO[name], 10.0), fs_hz=FS_HZ).truth.atr
    starts_s = np.array([s for s, a in zip(atr.sample, atr.aux, strict=True) if a == rhythm])
    starts_s = starts_s / FS_HZ
    assert 40 <= starts_s[0] <= 60
    again_s = np.diff(np.append(starts_s, 600 + starts_s[0]))  # over the seam, too
    assert ((again_s >= 120 - SEARCH_S) & (again_s <= 180)).all()


@pytest.mark.parametrize("name", DEMO)
def test_the_next_round_follows_as_the_next_beat(name):
    simulated = simulate(repeated(DEMO[name], 5.0), fs_hz=FS_HZ, noise=())
    record, r = closed(simulated), simulated.truth.r_samples
    kept = r[r < record.n_samples]
    seam = record.n_samples - kept[-1] + r[0]
    assert seam == pytest.approx(r[1] - r[0], rel=0.15)
    waves = simulated.truth.waves
    assert not ((waves["onset"] < record.n_samples) & (waves["offset"] > record.n_samples)).any()


def test_the_baseline_ends_where_it_began():
    def step_mv(x_mv):  # between the means of 20 ms at either end
        return np.abs(x_mv[:, :5].mean(axis=1) - x_mv[:, -5:].mean(axis=1))

    drift = [Noise("baseline", rms_mv=0.5)]
    whole = simulate([Sinus(60, bpm=70, hrv=0)], noise=drift, seed=2)
    looped = closed(whole)
    assert step_mv(whole.record.x_mv[:, : looped.n_samples]).min() > 0.2
    assert step_mv(looped.x_mv).max() < 0.005


def test_levelling_is_slow_and_leaves_the_rest_alone():
    whole = simulate([Sinus(60, bpm=70)], noise=[Noise("baseline", rms_mv=0.5)], seed=2).record
    looped = closed(simulate([Sinus(60, bpm=70)], noise=[Noise("baseline", rms_mv=0.5)], seed=2))
    added = looped.x_mv - whole.x_mv[:, : looped.n_samples]
    assert not added[:, : -8 * 250].any()
    assert np.abs(np.diff(added)).max() < 0.002  # mV a sample: no step


def test_a_record_without_a_place_to_cut_keeps_its_length():
    simulated = simulate([Sinus(5), VF(15)], noise=())  # no beats in the last seconds
    assert closed(simulated).n_samples == simulated.record.n_samples


def test_a_lead_that_is_off_at_the_end_does_no_harm():
    off = [Noise("lead off", start_s=15, leads=("V1",))]
    looped = closed(simulate([Sinus(20)], noise=off))
    assert np.isfinite(looped.x_mv[0]).all()
    assert np.isnan(looped.x_mv[1, 15 * 250 :]).all()
