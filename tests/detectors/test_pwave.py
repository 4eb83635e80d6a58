"""What stands before beats: P waves, f waves, pacing pulses."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from detectors.pwave import coherence
from dsp.synth import AF, VT, Sinus, simulate
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


def test_paced_beats_of_a_real_pacemaker_are_marked(real):
    x, fs_hz, _ = real("102", 300, 420)
    found = Analyzer(fs_hz, ("V5",)).push(x[:1])
    paced = found.beats["flags"] & BeatFlag.PACED > 0
    assert paced[30:].mean() > 0.9
    assert EpisodeKind.PACED in found.episodes["kind"]


@pytest.mark.parametrize("segments", [[Sinus(40, bpm=70)], [VT(30, bpm=170)], [AF(40)]])
def test_where_there_is_no_pacemaker_no_beat_is_paced(segments):
    _, found = analysed(segments)
    assert not np.any(found.beats["flags"] & BeatFlag.PACED)
