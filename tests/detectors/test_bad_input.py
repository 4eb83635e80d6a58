"""Records that hold little or nothing: a sensible answer for each, never an exception."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from detectors.label import record_label
from ecg import Findings
from ecg.codes import EpisodeKind, QualityCode

FS_HZ = 250.0
HOUR_S = 3600


def analysed(x_mv, leads=("II",)):
    analyzer = Analyzer(FS_HZ, leads)
    return Findings.concat([analyzer.push(x_mv), analyzer.finish()])


def kinds(found):
    return {EpisodeKind(kind) for kind in found.episodes["kind"]}


def white_noise(duration_s, rms_mv, n_leads=1):
    shape = (n_leads, int(duration_s * FS_HZ))
    return np.random.default_rng(11).normal(0.0, rms_mv, shape).astype(np.float32)


def test_a_record_of_three_seconds(heart):
    x, _ = heart(np.full(3, 0.8), fs_hz=FS_HZ)
    x = x[:, : int(3 * FS_HZ)]
    found = analysed(x)
    assert found.quality.size == 3
    assert kinds(found) == set()
    told = record_label(x[0], FS_HZ)
    assert told.label == "~"
    assert "lasts 3.0 s" in told.reason


def test_a_single_beat(heart):
    x, _ = heart(np.array([5.0]), fs_hz=FS_HZ)
    found = analysed(np.concatenate([x, white_noise(6, 0.01)], axis=1))
    assert found.beats.size <= 1
    assert kinds(found) <= {EpisodeKind.ASYSTOLE}
    told = record_label(np.concatenate([x[0], white_noise(6, 0.01)[0]]), FS_HZ)
    assert told.label == "~"
    assert "beats were found" in told.reason


def test_nothing_but_noise():
    x = white_noise(60, 0.5)
    found = analysed(x)
    assert EpisodeKind.ASYSTOLE not in kinds(found)
    assert EpisodeKind.VF not in kinds(found)
    assert found.quality["sqi"].max() < 0.5
    assert record_label(x[0], FS_HZ).label == "~"


def test_nothing_but_pacing_pulses_is_asystole():
    x = white_noise(30, 0.005)
    for at in range(125, x.shape[1], 200):
        x[0, at] += 50.0
    found = analysed(x)
    assert found.beats.size == 0
    assert kinds(found) == {EpisodeKind.ASYSTOLE}
    told = record_label(x[0], FS_HZ)
    assert told.label == "~"
    assert "0 beats were found" in told.reason


@pytest.mark.parametrize("names", [("?",), ("",), ("lead of the left ankle",), ("aä" * 9,)])
def test_names_of_leads_that_nobody_knows_change_nothing(heart, names):
    x, _ = heart(np.full(20, 0.8), fs_hz=FS_HZ)
    assert analysed(x, names) == analysed(x)


def test_a_lead_that_is_lost_for_an_hour_takes_no_beat_along(heart):
    x, r_s = heart(np.full(HOUR_S + 120, 1.0), fs_hz=FS_HZ)
    both = np.concatenate([x, 0.7 * x])
    both[0, 60 * 250 : (60 + HOUR_S) * 250] = np.nan
    found = analysed(both, ("II", "V5"))
    assert found.beats.size == pytest.approx(r_s.size, abs=5)
    assert kinds(found) == set()
    lost = found.quality[(found.quality["lead"] == 0) & (found.quality["code"] != 0)]
    assert lost.size == pytest.approx(HOUR_S, abs=2)
    assert set(lost["code"].tolist()) == {int(QualityCode.LEAD_OFF)}


def test_all_leads_lost_for_an_hour_are_noise_and_not_asystole(heart):
    x, _ = heart(np.full(HOUR_S + 120, 1.0), fs_hz=FS_HZ)
    x[0, 60 * 250 : (60 + HOUR_S) * 250] = np.nan
    found = analysed(x)
    assert kinds(found) == {EpisodeKind.NOISE}
    opened, ended = found.episodes
    assert opened["end"] == -1
    assert ended["onset"] / FS_HZ == pytest.approx(60, abs=2)
    assert ended["end"] / FS_HZ == pytest.approx(60 + HOUR_S, abs=2)
    assert ended["evidence"][0] == 1.0  # no electrode in contact
    at_s = found.beats["sample"] / FS_HZ
    assert not np.any((at_s > 61) & (at_s < 60 + HOUR_S))
    assert np.sum(at_s > 60 + HOUR_S) > 50
