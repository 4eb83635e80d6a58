"""Rhythms out of beats with known classes, at the limits of their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer, rhythm
from detectors.trees import from_nested
from ecg import BEAT, EPISODE
from ecg.codes import BeatFlag, EpisodeKind

FS_HZ = 250.0


def forest(score):
    """A forest that always gives `score`."""
    return from_nested([{"leaf_value": score}])


def told(beats, af=-1.0, flags=0):
    """Episodes of (class, interval before it in s) as (kind, onset, end), s; end -1 when open."""
    state = Analyzer(FS_HZ).state
    head, leads = state["head"][0], state["leads"][0]
    rows, at_s, out = np.zeros(16, EPISODE), 0.0, []
    for klass, rr_s in beats:
        at_s += rr_s
        beat = np.zeros(1, BEAT)[0]
        beat["sample"], beat["rr_s"], beat["confidence"] = round(at_s * FS_HZ), rr_s, 0.9
        beat["aami"] = ord("N" if klass == "P" else klass)
        beat["flags"] = BeatFlag.PACED if klass == "P" else flags
        head["rhythm"]["clear_s"] = 60
        n = rhythm.known(head, leads, beat, forest(af), rows, 0)
        for row in rows[:n]:
            end_s = row["end"] / FS_HZ if row["end"] >= 0 else -1
            out.append((EpisodeKind(row["kind"]), round(row["onset"] / FS_HZ, 2), round(end_s, 2)))
    return out


def kinds(beats, **options):
    return {kind for kind, _, _ in told(beats, **options)}


NORMAL = [("N", 0.8)] * 6


def run(n, rr_s, klass="V"):
    return [*NORMAL, *[(klass, rr_s)] * n, *NORMAL]


@pytest.mark.parametrize(
    ("n", "rr_s", "expected"),
    [
        (1, 0.4, set()),
        (2, 0.4, {EpisodeKind.COUPLET}),
        (3, 0.4, {EpisodeKind.RUN}),
        (4, 0.4, {EpisodeKind.RUN}),
        (5, 0.4, {EpisodeKind.VT}),
        (5, 0.59, {EpisodeKind.VT}),
        (5, 0.61, {EpisodeKind.IDIOVENTRICULAR}),
        (12, 0.4, {EpisodeKind.VT}),
    ],
)
def test_ventricular_beats_in_a_row(n, rr_s, expected):
    assert kinds(run(n, rr_s)) == expected


def test_tachycardia_is_told_at_its_fifth_beat_and_ends_with_its_last():
    found = told(run(8, 0.4))
    assert found == [
        (EpisodeKind.VT, pytest.approx(5.2), -1),
        (EpisodeKind.VT, pytest.approx(5.2), pytest.approx(8.0)),
    ]
    assert told(run(8, 0.4)[:10]) == []
    assert len(told(run(8, 0.4)[:11])) == 1


@pytest.mark.parametrize(
    ("n", "rr_s", "expected"),
    [(4, 0.4, set()), (5, 0.4, {EpisodeKind.SVT}), (5, 0.62, set()), (9, 0.4, {EpisodeKind.SVT})],
)
def test_supraventricular_beats_in_a_row(n, rr_s, expected):
    assert kinds(run(n, rr_s, "S")) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("NVNV", set()),
        ("NVNVNV", {EpisodeKind.BIGEMINY}),
        ("NNVNNV", set()),
        ("NNVNNVNNV", {EpisodeKind.TRIGEMINY}),
        ("NNNVNNNVNNNVNNNV", set()),
    ],
)
def test_bigeminy_and_trigeminy_need_three_ventricular_beats(pattern, expected):
    beats = [*NORMAL, *[(c, 0.8) for c in pattern], *NORMAL]
    assert kinds(beats) == expected


def test_bigeminy_ends_where_its_pattern_does():
    found = told([*NORMAL, *[(c, 0.8) for c in "VNVNVNVN"], *NORMAL])
    assert found[-1] == (EpisodeKind.BIGEMINY, pytest.approx(4.8), pytest.approx(11.2))


@pytest.mark.parametrize(
    ("rr_s", "expected"),
    [
        (1.19, set()),
        (1.21, {EpisodeKind.SINUS_BRADYCARDIA}),
        (0.61, set()),
        (0.59, {EpisodeKind.SINUS_TACHYCARDIA}),
    ],
)
def test_sinus_rates_at_their_limits(rr_s, expected):
    assert kinds([("N", rr_s)] * 12) == expected


@pytest.mark.parametrize(("rr_s", "expected"), [(2.49, set()), (2.51, {EpisodeKind.PAUSE})])
def test_a_pause_is_longer_than_two_and_a_half_seconds(rr_s, expected):
    assert kinds([*NORMAL, ("N", rr_s), *NORMAL]) == expected


def test_in_poor_signal_a_gap_is_no_pause():
    assert kinds([*NORMAL, ("N", 3.0)], flags=BeatFlag.POOR_SIGNAL) == set()


def test_paced_rhythm_from_three_paced_beats_until_two_that_are_not():
    found = told([*NORMAL, *[("P", 0.8)] * 5, ("N", 0.8), *[("P", 0.8)] * 3, *NORMAL])
    assert found == [
        (EpisodeKind.PACED, pytest.approx(5.6), -1),
        (EpisodeKind.PACED, pytest.approx(5.6), pytest.approx(12.8)),
    ]


def test_atrial_fibrillation_is_interrupted_by_a_paced_rhythm():
    beats = [("N", 0.8)] * 20 + [("P", 0.8)] * 4 + [("N", 0.8)] * 4
    found = told(beats, af=2.0)
    assert [kind for kind, _, _ in found] == [
        EpisodeKind.AF,
        EpisodeKind.PACED,
        EpisodeKind.AF,
        EpisodeKind.PACED,
        EpisodeKind.AF,
    ]
    assert found[2] == (EpisodeKind.AF, pytest.approx(1.6), pytest.approx(16.8))
    assert found[4] == (EpisodeKind.AF, pytest.approx(20.0), -1)


def test_in_atrial_fibrillation_no_beat_is_supraventricular_and_none_makes_tachycardia():
    state = Analyzer(FS_HZ).state
    head, leads, rows = state["head"][0], state["leads"][0], np.zeros(16, EPISODE)
    head["rhythm"]["clear_s"] = 60
    beats = np.zeros(48, BEAT)
    beats["sample"], beats["rr_s"] = 100 + 100 * np.arange(48), 0.4
    beats["code"] = beats["aami"] = ord("S")
    found = []
    for beat in beats:
        n = rhythm.known(head, leads, beat, forest(3.0), rows, 0)
        found += [EpisodeKind(row["kind"]) for row in rows[:n]]
    first = np.argmax(beats["aami"] == ord("N"))
    assert found == [EpisodeKind.SVT, EpisodeKind.AF, EpisodeKind.SVT]  # which ends
    assert 12 <= first <= 16  # AF is told after twelve intervals
    assert np.all(beats["aami"][first:] == ord("N"))
    assert np.all(beats["code"][first:] == ord("N"))


def test_ventricular_beats_do_not_count_as_irregular():
    state = Analyzer(FS_HZ).state
    head, leads = state["head"][0], state["leads"][0]
    rows, at_s = np.zeros(16, EPISODE), 0.0
    for klass, rr_s in [("N", 0.8), ("N", 0.8), ("N", 0.8), ("V", 0.4), ("N", 1.2)] * 12:
        at_s += rr_s
        beat = np.zeros(1, BEAT)[0]
        beat["sample"], beat["rr_s"] = round(at_s * FS_HZ), rr_s
        beat["aami"] = ord(klass)
        rhythm.known(head, leads, beat, forest(-1.0), rows, 0)
    features = head["rhythm"]["af"]["features"]
    assert features[0] == pytest.approx(0.8)
    assert features[1] == pytest.approx(0.0, abs=1e-3)


def naive_features(rr):
    """The eleven features of intervals, written with whole arrays."""

    def median(values):
        return np.sort(values)[(values.size - 1) // 2]  # the lower one of two

    step, middle = np.diff(rr), median(rr)
    turned = (np.abs(step[1:]) > 0.06) & (np.abs(step[:-1]) > 0.06)
    ordered = np.sort(rr)
    centred = rr - rr.mean()
    return [
        rr.mean(),
        rr.std() / rr.mean(),
        median(np.abs(step)) / middle,
        np.sqrt(np.mean(step**2)) / rr.mean(),
        median(np.abs(rr[2:] - rr[:-2])) / middle,
        median(np.abs(rr[3:] - rr[:-3])) / middle,
        np.mean(np.abs(step) > 0.05),
        np.mean(centred[1:] * centred[:-1]) / rr.var(),
        median(np.abs(rr - middle)) / middle,
        np.sum(turned & (step[1:] * step[:-1] < 0)) / (turned.sum() + 1),
        (ordered[3 * rr.size // 4] - ordered[rr.size // 4]) / middle,
    ]


@pytest.mark.parametrize("n", [12, 20, 32, 52])
def test_features_of_intervals_are_those_of_a_plain_reference(n):
    from detectors import af

    rng = np.random.default_rng(n)
    rr = rng.uniform(0.4, 1.2, n).astype(np.float32)
    state = Analyzer(FS_HZ).state
    own = state["head"][0]["rhythm"]["af"]
    for value in rr:
        af.take(own, state["leads"][0], value, forest(0.5))
    assert own["score"] == 0.5
    expected = naive_features(rr[-af.WINDOW :].astype(np.float64))
    np.testing.assert_allclose(own["features"][:11], expected, rtol=1e-3, atol=1e-5)
