"""Variability of known tachograms, against the formulae of the Task Force written out plainly."""

from __future__ import annotations

import numpy as np
import pytest

from archive.hrv import hrv, nn_intervals
from ecg import BEAT, EPISODE, BadSetting, Findings
from ecg.codes import BeatFlag, EpisodeKind

FS_HZ = 1000.0


@pytest.fixture
def tachogram():
    """A maker of findings whose intervals swing at 0.1 Hz (LF) and 0.25 Hz (HF)."""

    def make(lf_ms=40.0, hf_ms=30.0, seconds=310.0, aami="N"):
        at_s, beats = 0.5, []
        while at_s < seconds:
            beats.append(at_s)
            swing = lf_ms * np.sin(0.2 * np.pi * at_s) + hf_ms * np.sin(0.5 * np.pi * at_s)
            at_s += 0.8 + 1e-3 * swing
        rows = np.zeros(len(beats), BEAT)
        rows["sample"] = np.round(np.array(beats) * FS_HZ)
        rows["aami"] = ord(aami)
        return Findings(beats=rows, through_sample=int(seconds * FS_HZ))

    return make


def test_time_domain_is_as_the_task_force_writes_it(tachogram):
    findings = tachogram()
    (window,) = hrv(findings, FS_HZ)
    at_s = findings.beats["sample"] / FS_HZ
    rr_ms = 1e3 * np.diff(at_s)[at_s[1:] <= 300.0]
    step = np.diff(rr_ms)
    assert window.n_nn == rr_ms.size
    assert window.mean_nn_ms == pytest.approx(rr_ms.mean())
    assert window.sdnn_ms == pytest.approx(rr_ms.std(ddof=1))
    assert window.rmssd_ms == pytest.approx(np.sqrt(np.mean(step**2)), rel=0.01)
    assert window.pnn50 == pytest.approx(100 * np.mean(np.abs(step) > 50), abs=0.5)


@pytest.mark.parametrize(("lf_ms", "hf_ms"), [(40.0, 30.0), (60.0, 10.0), (15.0, 45.0)])
def test_power_of_a_swing_is_half_its_square(tachogram, lf_ms, hf_ms):
    (window,) = hrv(tachogram(lf_ms, hf_ms), FS_HZ)
    assert window.lf_ms2 == pytest.approx(lf_ms**2 / 2, rel=0.12)
    assert window.hf_ms2 == pytest.approx(hf_ms**2 / 2, rel=0.12)
    assert window.lf_hf == pytest.approx(window.lf_ms2 / window.hf_ms2)


def test_intervals_about_an_ectopic_paced_or_badly_seen_beat_are_no_nn_intervals(tachogram):
    findings = tachogram()
    clean, _ = nn_intervals(findings, FS_HZ)
    findings.beats["aami"][50] = ord("V")
    findings.beats["flags"][100] = BeatFlag.PACED
    findings.beats["flags"][150] = BeatFlag.POOR_SIGNAL
    assert nn_intervals(findings, FS_HZ)[0].size == clean.size - 6
    (window,) = hrv(findings, FS_HZ)
    assert window.sdnn_ms == pytest.approx(hrv(tachogram(), FS_HZ)[0].sdnn_ms, rel=0.05)


def test_a_window_without_enough_normal_beats_says_so(tachogram):
    (window,) = hrv(tachogram(aami="V"), FS_HZ)
    assert window.reason == "normal intervals cover 0 %, 80 % are needed"
    assert np.isnan(window.sdnn_ms)


def test_in_atrial_fibrillation_variability_says_nothing(tachogram):
    af = np.zeros(1, EPISODE)
    af["kind"], af["onset"], af["end"] = EpisodeKind.AF, 100 * FS_HZ, -1
    plain = tachogram()
    (window,) = hrv(Findings(beats=plain.beats, episodes=af, through_sample=310_000), FS_HZ)
    assert window.reason == "atrial fibrillation"


def test_only_whole_windows_are_told_and_short_ones_refused(tachogram):
    assert [w.start_s for w in hrv(tachogram(seconds=610.0), FS_HZ)] == [0.0, 300.0]
    assert hrv(tachogram(seconds=290.0), FS_HZ) == []
    with pytest.raises(BadSetting, match="at least 60 s"):
        hrv(tachogram(), FS_HZ, window_s=30)
