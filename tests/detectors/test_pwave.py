"""What stands before beats: P waves, f waves, pacing pulses."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from detectors.pwave import coherence
from dsp.synth import AF, VT, Paced, Sinus, simulate
from ecg import Findings
from ecg.codes import BeatFlag, EpisodeKind


def analysed(segments, leads=("II",), seed=2, fs_hz=360.0):
    record = simulate(segments, leads=leads, seed=seed, fs_hz=fs_hz).record
    analyzer = Analyzer(record.fs_hz, record.leads)
    return analyzer, Findings.concat([analyzer.push(record.x_mv), analyzer.finish()])


@pytest.mark.parametrize("seed", range(3))
def test_p_waves_stay_in_the_average_and_f_waves_do_not(seed):
    sinus, _ = analysed([Sinus(40, bpm=75)], seed=seed)
    af, _ = analysed([AF(40, bpm=90)], seed=seed)
    share = [coherence(a.state["leads"][0, 0])[0] for a in (sinus, af)]
    assert share[0] > 0.8
    assert share[1] < 0.5


@pytest.mark.parametrize("fs_hz", [250.0, 360.0, 500.0])
def test_paced_beats_are_marked_and_others_are_not(fs_hz):
    _, found = analysed([Sinus(20, bpm=70), Paced(30, bpm=70), Sinus(20, bpm=80)], fs_hz=fs_hz)
    at_s, paced = found.beats["sample"] / fs_hz, found.beats["flags"] & BeatFlag.PACED > 0
    assert not paced[at_s < 20].any()
    assert not paced[at_s > 51].any()
    assert paced[(at_s > 28) & (at_s < 50)].mean() > 0.95
    kinds = set(found.episodes["kind"].tolist())
    assert EpisodeKind.PACED in kinds


@pytest.mark.parametrize("segments", [[Sinus(40, bpm=70)], [VT(30, bpm=170)], [AF(40)]])
def test_where_there_is_no_pacemaker_no_beat_is_paced(segments):
    _, found = analysed(segments)
    assert not np.any(found.beats["flags"] & BeatFlag.PACED)
