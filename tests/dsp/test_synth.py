"""Simulated patients: the truth is true, and what was asked for is there."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.synth import (
    AF,
    SCRIPTS,
    SVT,
    VF,
    VT,
    Asystole,
    CompleteBlock,
    Flutter,
    Mobitz2,
    Noise,
    Paced,
    Patient,
    Sinus,
    Wenckebach,
    demo_record,
    simulate,
)
from dsp.synth.noise import noise_power, signal_power
from ecg import BadSetting, BadSignal

TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def rr_s(simulated):
    return np.diff(simulated.truth.r_samples) / simulated.record.fs_hz


def onsets(truth, kind):
    return truth.waves["onset"][truth.waves["kind"] == kind]


@pytest.mark.parametrize("name", SCRIPTS)
def test_limb_leads_obey_einthoven_and_goldberger(name):
    x_mv = simulate(SCRIPTS[name], leads=TWELVE, noise=()).record.x_mv
    lead = dict(zip(TWELVE, x_mv, strict=True))
    close = {"atol": 1e-5}
    np.testing.assert_allclose(lead["III"], lead["II"] - lead["I"], **close)
    np.testing.assert_allclose(lead["aVR"], -(lead["I"] + lead["II"]) / 2, **close)
    np.testing.assert_allclose(lead["aVL"] + lead["aVR"] + lead["aVF"], 0, **close)


@pytest.mark.parametrize("fs_hz", [100, 250, 360, 1000])
@pytest.mark.parametrize("name", SCRIPTS)
def test_each_beat_is_an_extreme_of_lead_ii(name, fs_hz):
    simulated = simulate(SCRIPTS[name], fs_hz=fs_hz, leads=["II"], noise=())
    x_mv, reach = simulated.record.x_mv[0], round(0.03 * fs_hz)
    inside = [r for r in simulated.truth.r_samples if reach < r < x_mv.size - reach]
    assert inside
    for r in inside:
        # a pacing pulse or f wave shifts the zero line, not the place of the peak
        window = np.abs(x_mv[r - reach : r + reach + 1])
        assert abs(int(np.argmax(window)) - reach) <= 1


@settings(max_examples=20, deadline=None)
@given(bpm=st.floats(15, 300))
def test_the_rate_asked_for_is_the_rate_given(bpm):
    simulated = simulate([Sinus(60, bpm=bpm, hrv=0)], fs_hz=1000, leads=["II"])
    assert rr_s(simulated) == pytest.approx(60 / bpm, abs=0.0011)


def test_a_jump_of_the_rate_is_there_at_once():
    rr = rr_s(simulate([Sinus(10, bpm=60, hrv=0), Sinus(5, bpm=180, hrv=0)], fs_hz=1000))
    assert rr[:9] == pytest.approx(1.0, abs=0.002)
    assert rr[11:] == pytest.approx(1 / 3, abs=0.002)


@settings(max_examples=20, deadline=None)
@given(qrs_mv=st.floats(0.5, 5), qrs_ms=st.floats(40, 120), t_mv=st.floats(0, 1.2))
def test_height_and_width_asked_for_are_given(qrs_mv, qrs_ms, t_mv):
    patient = Patient(qrs_mv=qrs_mv, qrs_ms=qrs_ms, t_mv=t_mv, variation=0)
    simulated = simulate([Sinus(5, bpm=60)], fs_hz=1000, leads=["II"], patient=patient)
    truth, x_mv = simulated.truth, simulated.record.x_mv[0]
    assert x_mv[truth.r_samples] == pytest.approx(qrs_mv, rel=0.02, abs=0.01)
    waves = truth.waves[truth.waves["kind"] == "N"]
    assert waves["offset"] - waves["onset"] == pytest.approx(qrs_ms, abs=1.01)
    peaks = truth.waves["peak"][truth.waves["kind"] == "t"]
    assert x_mv[peaks] == pytest.approx(t_mv, abs=0.02)


@pytest.mark.parametrize("name", SCRIPTS)
def test_waves_begin_before_their_peak_and_end_after_it(name):
    waves = simulate(SCRIPTS[name]).truth.waves
    assert (waves["onset"] < waves["peak"]).all()
    assert (waves["peak"] < waves["offset"]).all()


def test_qt_is_normal_and_follows_the_rate():
    def qt_s(bpm):
        truth = simulate([Sinus(30, bpm=bpm, hrv=0)], fs_hz=1000).truth
        ends = truth.waves["offset"][truth.waves["kind"] == "t"]
        n = min(ends.size, onsets(truth, "N").size) - 1
        return float(np.median(ends[:n] - onsets(truth, "N")[:n])) / 1000

    assert 0.36 < qt_s(60) < 0.44
    assert qt_s(120) < qt_s(60) < qt_s(40)


def test_a_normal_heart_in_twelve_leads():
    simulated = simulate([Sinus(10, bpm=60)], leads=TWELVE, fs_hz=500)
    complexes = [
        simulated.record.x_mv[:, w["onset"] : w["offset"]]
        for w in simulated.truth.waves
        if w["kind"] == "N"
    ]
    high = dict(zip(TWELVE, np.mean([c.max(axis=1) for c in complexes], axis=0), strict=True))
    low = dict(zip(TWELVE, np.mean([c.min(axis=1) for c in complexes], axis=0), strict=True))
    assert low["aVR"] < -0.5 and high["aVR"] < 0.3
    ratios = [high[v] / -low[v] for v in ("V1", "V2", "V3", "V4", "V5")]
    assert all(a < b for a, b in pairwise(ratios))
    assert ratios[0] < 1 < ratios[3]


@pytest.mark.parametrize("shape", ["outflow", "apex", "left", "lateral"])
def test_a_ventricular_beat_is_wide_with_a_discordant_t_and_no_p(shape):
    truth_of = simulate(
        [Sinus(20, bpm=70, hrv=0, pattern="NNNV", shapes=(shape,))], fs_hz=1000, leads=["II"]
    )
    truth, x_mv = truth_of.truth, truth_of.record.x_mv[0]
    beats = truth.waves[truth.waves["kind"] == "N"]
    r = truth.r_samples[[c == "V" for c in truth.codes]]
    ventricular = beats[np.isin(beats["peak"], r)]
    assert ventricular.size > 3
    assert (ventricular["offset"] - ventricular["onset"] >= 120).all()
    t_peaks = truth.waves["peak"][truth.waves["kind"] == "t"]
    for wave in ventricular[:-1]:
        t_peak = t_peaks[t_peaks > wave["offset"]][0]
        assert x_mv[t_peak] * x_mv[wave["peak"]] < 0
        assert not (
            (onsets(truth, "p") > wave["onset"] - 200) & (onsets(truth, "p") < t_peak)
        ).any()


def test_the_pause_after_a_ventricular_beat_is_compensatory():
    simulated = simulate([Sinus(20, bpm=60, hrv=0, pattern="NNNV")], fs_hz=1000)
    rr, codes = rr_s(simulated), simulated.truth.codes
    at = [i for i in range(1, len(rr)) if codes[i] == "V"]
    assert at
    assert [rr[i - 1] + rr[i] for i in at] == pytest.approx([2.0] * len(at), abs=0.003)


def test_af_is_irregular_and_has_no_p_waves():
    simulated = simulate([AF(120, bpm=90)])
    rr = rr_s(simulated)
    assert not onsets(simulated.truth, "p").size
    assert 60 / rr.mean() == pytest.approx(90, rel=0.08)
    assert rr.std() / rr.mean() > 0.15
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 0.25


@pytest.mark.parametrize(
    ("segment", "hz", "lead"),
    [
        (AF(60, f_wave_mv=0.2), (4, 9), "V1"),
        (VF(60), (4, 7), "II"),
        (Flutter(60), (4.9, 5.1), "aVF"),
    ],
)
def test_continuous_waves_lie_in_their_band(segment, hz, lead):
    no_beats = Patient(qrs_mv=0.01, t_mv=0)
    x_mv = simulate([segment], leads=[lead], patient=no_beats).record.x_mv[0]
    power = np.abs(np.fft.rfft(x_mv - x_mv.mean())) ** 2
    f_hz = np.fft.rfftfreq(x_mv.size, 1 / 250)
    assert hz[0] <= f_hz[np.argmax(power)] <= hz[1]
    assert power[(f_hz > 3) & (f_hz < 20)].sum() > 0.9 * power.sum()


def test_flutter_conducts_whole_numbers_of_waves():
    rr = rr_s(simulate([Flutter(20, ratios=(2, 4, 3))], fs_hz=1000))
    assert rr / 0.2 == pytest.approx(np.round(rr / 0.2), abs=0.01)
    assert set(np.round(rr / 0.2)) == {2, 3, 4}


def test_wenckebach_prolongs_pr_until_a_beat_drops():
    truth = simulate([Wenckebach(30, cycle=4)], fs_hz=1000).truth
    qrs = onsets(truth, "N")
    pr = [qrs[(qrs > p) & (qrs < p + 500)] - p for p in onsets(truth, "p")[:8]]
    first, second, third, dropped = pr[:4]
    assert first[0] < second[0] < third[0]
    assert not dropped.size


def test_mobitz_drops_beats_without_warning():
    truth = simulate([Mobitz2(30, ratio=3)], fs_hz=1000).truth
    qrs = onsets(truth, "N")
    pr = [qrs[(qrs > p) & (qrs < p + 400)] - p for p in onsets(truth, "p")[:9]]
    assert [x.size for x in pr] == [1, 1, 0] * 3
    assert np.ptp([x[0] for x in pr if x.size]) <= 2


def test_in_complete_block_atria_and_ventricles_are_independent():
    truth = simulate([CompleteBlock(60, bpm=35, atrial_bpm=80)]).truth
    assert set(truth.codes) == {"E"}
    assert truth.r_samples.size == pytest.approx(35, abs=2)
    assert onsets(truth, "p").size == pytest.approx(80, abs=2)


def test_each_paced_beat_follows_its_pulse():
    simulated = simulate([Paced(20, bpm=70)], fs_hz=500, leads=["II"])
    truth = simulated.truth
    starts = onsets(truth, "N")
    assert set(truth.codes) == {"/"}
    pulses = truth.pace[: starts.size]
    assert (starts - pulses) / 500 == pytest.approx(0.012, abs=0.003)
    jump = np.abs(np.diff(simulated.record.x_mv[0]))
    assert (jump[pulses - 1] > 0.5).all()


def test_in_asystole_there_is_nothing():
    simulated = simulate([Sinus(5), Asystole(6)], leads=["II"])
    assert np.abs(simulated.record.x_mv[0, -4 * 250 :]).max() < 1e-3
    assert simulated.truth.r_samples.max() < 5 * 250


def test_rhythms_are_told_where_they_begin():
    atr = simulate([Sinus(10), VT(5), VF(5), SVT(5), Asystole(5)]).truth.atr
    changes = [(s, a) for s, a in zip(atr.sample.tolist(), atr.aux, strict=True) if a]
    assert changes == [
        (0, "(N"),
        (2500, "(VT"),
        (3750, "(VFL"),
        (5000, "(SVTA"),
        (6250, "(ASYS"),
    ]
    assert [s for s in atr.symbol if s in "[]"] == ["[", "]"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_jumps_where_rhythms_meet(name):
    simulated = simulate(SCRIPTS[name], fs_hz=1000, leads=["II"], noise=())
    x_mv, truth = simulated.record.x_mv[0], simulated.truth
    # 0.35 mV in a millisecond is no muscle's doing: even a QRS complex rises by 0.1
    jumps = np.flatnonzero(np.abs(np.diff(x_mv)) > 0.35)
    assert all(np.abs(truth.pace - j).min() <= 3 for j in jumps)


@pytest.mark.parametrize("kind", ["baseline", "muscle", "electrode", "powerline"])
@pytest.mark.parametrize("snr_db", [-6, 0, 12, 24])
def test_the_snr_asked_for_is_measured(kind, snr_db):
    script = [Sinus(60, bpm=70)]
    clean = simulate(script, seed=3)
    noisy = simulate(script, seed=3, noise=[Noise(kind, snr_db=snr_db)])
    for x, y in zip(clean.record.x_mv, noisy.record.x_mv, strict=True):
        signal = signal_power(x.astype(float), clean.truth.r_samples, 250)
        noise = noise_power((y - x).astype(float), 250)
        assert 10 * np.log10(signal / noise) == pytest.approx(snr_db, abs=0.1)


def test_a_lead_off_is_missing_samples():
    noise = [Noise("lead off", start_s=2, duration_s=3, leads=("V1",))]
    x_mv = simulate([Sinus(10)], noise=noise).record.x_mv
    assert np.isnan(x_mv[1, 500:1250]).all()
    assert np.isnan(x_mv).sum() == 750


def test_the_seed_decides():
    first, again, other = (simulate(SCRIPTS["pvcs"], seed=s).record.x_mv for s in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("fs_hz", [100, 360, 1000])
def test_beats_do_not_depend_on_the_sampling_rate(fs_hz):
    at_250, here = (simulate(SCRIPTS["af"], seed=2, fs_hz=f).truth for f in (250, fs_hz))
    assert at_250.codes == here.codes
    assert at_250.r_samples / 250 == pytest.approx(
        here.r_samples / fs_hz, abs=0.5 / 250 + 0.5 / fs_hz
    )


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (BadSignal, lambda: simulate([Sinus(5)], leads=["X"])),
        (BadSignal, lambda: simulate([Sinus(5)], leads=[])),
        (BadSignal, lambda: simulate([Sinus(5)], fs_hz=50)),
        (BadSetting, lambda: simulate([])),
        (BadSetting, lambda: Sinus(0)),
        (BadSetting, lambda: Sinus(5, bpm=1)),
        (BadSetting, lambda: Sinus(5, pattern="VV")),
        (BadSetting, lambda: Sinus(5, shapes=())),
        (BadSetting, lambda: Sinus(5, hrv=0.9)),
        (BadSetting, lambda: AF(5, pattern="X")),
        (BadSetting, lambda: Flutter(5, ratios=())),
        (BadSetting, lambda: Flutter(5, ratios=(0,))),
        (BadSetting, lambda: Asystole(5, p_bpm=0)),
        (BadSetting, lambda: CompleteBlock(5, atrial_bpm=0)),
        (BadSetting, lambda: VF(5, hz=float("nan"))),
        (BadSetting, lambda: simulate([Sinus(5)], seed=-1)),
        (BadSetting, lambda: VT(5, shapes=("round",))),
        (BadSetting, lambda: Noise("loud", snr_db=3)),
        (BadSetting, lambda: Noise("muscle")),
        (BadSetting, lambda: Noise("muscle", rms_mv=-1)),
        (BadSetting, lambda: Noise("muscle", rms_mv=0.1, start_s=-3)),
        (BadSetting, lambda: Noise("muscle", rms_mv=0.1, leads=("V9",))),
        (BadSetting, lambda: Noise("powerline", rms_mv=0.1, mains_hz=0)),
        (BadSetting, lambda: Patient(qrs_ms=-1)),
        (BadSetting, lambda: demo_record("nobody")),
        (BadSetting, lambda: demo_record("paced", minutes=0)),
    ],
)
def test_what_cannot_be_simulated_is_refused(error, wrong):
    with pytest.raises(error):
        wrong()
