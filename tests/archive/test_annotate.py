"""Findings as WFDB marks."""

from __future__ import annotations

import numpy as np

from archive.annotate import annotate
from ecg import BEAT, EPISODE, Findings
from ecg.codes import EpisodeKind


def findings(beats, *episodes):
    rows = np.zeros(len(beats), BEAT)
    rows["sample"], rows["code"] = beats, ord("N")
    spans = np.zeros(len(episodes), EPISODE)
    for row, (kind, onset, end) in zip(spans, episodes, strict=True):
        row["kind"], row["onset"], row["end"] = kind, onset, end
    return Findings(beats=rows, episodes=spans)


def marks(*args):
    a = annotate(findings(*args), 1, 250.0)
    return list(zip(a.sample.tolist(), a.symbol, a.aux, strict=True))


def test_a_rhythm_is_marked_where_it_begins_and_where_another_does():
    assert marks([5], (EpisodeKind.AF, 10, 40), (EpisodeKind.VT, 20, 25)) == [
        (5, "N", ""),
        (10, "+", "(AFIB"),
        (20, "+", "(VT"),
        (25, "+", "(AFIB"),
        (40, "+", "(N"),
    ]


def test_couplets_and_pauses_interrupt_no_rhythm():
    assert marks([], (EpisodeKind.AF, 10, 90), (EpisodeKind.COUPLET, 20, 30)) == [
        (10, "+", "(AFIB"),
        (90, "+", "(N"),
    ]


def test_in_noise_no_rhythm_is_marked_but_those_that_kill():
    run, vt = (EpisodeKind.RUN, 20, 30), (EpisodeKind.VT, 40, 50)
    assert marks([], (EpisodeKind.NOISE, 10, 90), run, vt) == [
        (10, "+", "(NOISE"),
        (40, "+", "(VT"),
        (50, "+", "(NOISE"),
        (90, "+", "(N"),
    ]


def test_fibrillation_stands_in_brackets_and_has_no_beats():
    assert marks([5, 15, 25], (EpisodeKind.VF, 10, 20)) == [
        (5, "N", ""),
        (10, "+", "(VFL"),
        (10, "[", ""),
        (20, "+", "(N"),
        (20, "]", ""),
        (25, "N", ""),
    ]
    assert [m[1] for m in marks([5, 15], (EpisodeKind.VF, 10, -1))] == ["N", "+", "["]
