"""The analyzer's contract: what it refuses, vitals and quality each second, times."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from ecg import BadSetting, BadSignal, Findings
from ecg.codes import QualityCode


@pytest.mark.parametrize("fs_hz", [0.0, 99.9, 1000.1, float("nan")])
def test_rates_that_cannot_be_analysed_are_refused(fs_hz):
    with pytest.raises(BadSignal, match="resample"):
        Analyzer(fs_hz)


@pytest.mark.parametrize("leads", [(), "II", ["L"] * 33])
def test_sets_of_leads_that_cannot_be_analysed_are_refused(leads):
    with pytest.raises(BadSignal, match="leads"):
        Analyzer(250, leads)


@pytest.mark.parametrize(
    "x", [np.zeros(10), np.zeros((2, 10)), np.zeros((1, 2, 3)), [["a", "b"]], [[1.0], [1.0, 2.0]]]
)
def test_samples_of_a_wrong_shape_or_type_are_refused_and_change_nothing(x):
    analyzer = Analyzer(250, ("II",))
    before = analyzer.state.tobytes()
    with pytest.raises(BadSignal):
        analyzer.push(x)
    assert analyzer.state.tobytes() == before


def test_no_push_after_finish():
    analyzer = Analyzer(250)
    analyzer.finish()
    with pytest.raises(BadSignal, match="finished"):
        analyzer.push(np.zeros((1, 10), np.float32))


def test_vitals_come_each_second_and_without_beats_say_nothing():
    analyzer = Analyzer(250, start_ns=5)
    found = Findings.concat([analyzer.push(np.zeros((1, 2500), np.float32)), analyzer.finish()])
    assert found.vitals["sample"].tolist() == list(range(250, 2501, 250))
    assert found.vitals["t_ns"][1] == 2 * 10**9 + 5
    assert np.isnan(found.vitals["hr_bpm"]).all()
    assert found.through_sample == 2500


@pytest.mark.parametrize("bpm", [40, 75, 150])
def test_heart_rate_is_that_of_the_beats(heart, bpm):
    x, _ = heart(np.full(40, 60.0 / bpm))
    rates = Analyzer(360.0).push(x).vitals
    assert rates["hr_bpm"][-1] == pytest.approx(bpm, rel=0.01)
    assert rates["hr_fast_bpm"][-1] == pytest.approx(bpm, rel=0.01)


def test_the_fast_heart_rate_follows_sooner(heart):
    x, r_s = heart(np.r_[np.full(20, 1.0), np.full(20, 0.5)])
    rates = Analyzer(360.0).push(x).vitals
    row = rates[int(r_s[20] + 1)]
    assert row["hr_fast_bpm"] == pytest.approx(120, rel=0.02)
    assert row["hr_bpm"] < 100


@pytest.fixture(scope="module")
def codes(heart):
    def judge(change):
        x, _ = heart(np.full(12, 0.8), fs_hz=250.0)
        x = change(x[:, :2500].copy()).astype(np.float32)
        rows = Analyzer(250.0).push(x).quality
        assert ((rows["sqi"] >= 0) & (rows["sqi"] <= 1)).all()
        return rows["code"][3:8].tolist(), rows["sqi"][3:8]

    return judge


def clipped(x):
    return np.clip(8.0 * x + 6.0 * np.sign(np.sin(np.arange(x.size) / 60.0)), -5.0, 5.0)


def noisy(x):
    return x + np.random.default_rng(0).normal(0.0, 0.3, x.shape)


def stepped(x):
    for begin in range(600, 2200, 250):
        x[:, begin : begin + 125] += 40.0
    return x


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda x: x, QualityCode.USABLE),
        (lambda x: x * np.nan, QualityCode.LEAD_OFF),
        (lambda x: 0 * x + 1.5, QualityCode.FLAT),
        (clipped, QualityCode.SATURATED),
        (noisy, QualityCode.NOISY),
        (stepped, QualityCode.BASELINE_JUMP),
    ],
    ids=["clean", "missing", "flat", "clipped", "muscle", "stepped"],
)
def test_quality_of_a_lead(codes, change, code):
    found, sqi = codes(change)
    assert set(found) == {int(code)}
    assert (sqi > 0.5).all() if code == QualityCode.USABLE else (sqi <= 0.5).all()


def test_quality_is_told_of_each_lead(heart):
    x, _ = heart(np.full(12, 0.8))
    both = np.concatenate([x, np.full_like(x, np.nan)])
    rows = Analyzer(360.0, ("II", "V5")).push(both).quality
    assert rows["lead"][:4].tolist() == [0, 1, 0, 1]
    assert (rows["code"][rows["lead"] == 1] == QualityCode.LEAD_OFF).all()
    assert rows["sample"][:4].tolist() == [0, 0, 360, 360]


def test_the_state_of_a_lead_is_small():
    one, two = (Analyzer(250, ("L",) * n).state.nbytes for n in (1, 2))
    assert two - one <= 16_384


def test_qrs_alone_finds_the_same_beats_and_nothing_else(heart):
    x, _ = heart(np.full(30, 0.8))
    whole, alone = Analyzer(360.0), Analyzer(360.0, only="qrs")
    whole, alone = whole.push(x), Analyzer.restore(alone.state.tobytes()).push(x)
    assert alone.beats.size > 20
    for name in ("sample", "rr_s", "confidence"):
        assert np.array_equal(alone.beats[name], whole.beats[name], equal_nan=True)
    assert (alone.quality == whole.quality).all()
    assert np.array_equal(alone.vitals["hr_bpm"], whole.vitals["hr_bpm"], equal_nan=True)
    assert np.isnan(alone.vitals["pvc_per_min"]).all()
    assert alone.classified.size == alone.episodes.size == 0
    assert set(alone.with_classes().beats["code"]) == {ord("?")}


def test_only_what_exists_can_be_asked_for():
    with pytest.raises(BadSetting, match="'qrs'"):
        Analyzer(360.0, only="classes")
