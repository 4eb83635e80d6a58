"""Episodes of AF and VF are compared as epicmp compares them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.episodes import (
    EpisodeTable,
    compare_episodes,
    fibrillation_spans,
    rhythm_spans,
    total_episodes,
)
from ecg import Annotations

END = 10_000  # at 10 Hz; the first 300 s, to sample 3000, are learning


def rhythms(*changes):
    return Annotations(
        np.array([at for at, _ in changes], np.int64),
        ("+",) * len(changes),
        tuple(text for _, text in changes),
    )


def brackets(*at):
    return Annotations(np.array(at, np.int64), tuple("[]" * len(at))[: len(at)], ("",) * len(at))


def af(reference, test):
    return compare_episodes(reference, test, 10.0, END)["af"]


def test_an_episode_lasts_until_another_rhythm_begins():
    marks = rhythms((0, "(N"), (100, "(AFIB"), (150, "(AFIB"), (200, "(VT"), (300, "(AFIB"))
    assert rhythm_spans(marks, "(AFIB", 400) == [(100, 200), (300, 400)]


def test_fibrillation_lasts_from_bracket_to_bracket_or_to_the_end():
    assert fibrillation_spans(brackets(5, 9, 20), 30) == [(5, 9), (20, 30)]


def test_half_an_episode_found_is_the_episode_but_half_of_the_time():
    table = af(
        rhythms((4000, "(AFIB"), (5000, "(N")),
        rhythms((4500, "(AFIB"), (5500, "(N")),
    )
    assert (table.found, table.missed, table.right, table.wrong) == (1, 0, 1, 0)
    assert (table.duration_se, table.duration_ppv) == (0.5, 0.5)


def test_the_first_five_minutes_are_left_out():
    table = af(
        rhythms((0, "(AFIB"), (4000, "(N")),
        rhythms((3500, "(AFIB"), (4000, "(N")),
    )
    assert (table.reference_s, table.test_s, table.both_s) == (100.0, 50.0, 50.0)
    early = af(rhythms((0, "(AFIB"), (2900, "(N")), rhythms((0, "(N")))
    assert math.isnan(early.episode_se)


def test_atrial_flutter_of_the_reference_is_held_against_nobody():
    table = af(
        rhythms((4000, "(AFIB"), (5000, "(AFL"), (6000, "(N")),
        rhythms((4000, "(AFIB"), (6000, "(N"), (7000, "(AFIB"), (7100, "(N")),
    )
    assert (table.test_s, table.both_s) == (110.0, 100.0)
    assert (table.right, table.wrong) == (1, 1)
    only_flutter = af(rhythms((5000, "(AFL"), (6000, "(N")), rhythms((5200, "(AFIB"), (5800, "(N")))
    assert (only_flutter.right, only_flutter.wrong) == (0, 0)


def test_a_rhythm_that_is_open_at_the_end_lasts_to_the_end():
    table = af(rhythms((9000, "(AFIB")), rhythms((9500, "(AFIB")))
    assert (table.reference_s, table.both_s) == (100.0, 50.0)


def test_totals_are_sums():
    one = EpisodeTable(1, 2, 3, 4, 5.0, 6.0, 2.0)
    assert total_episodes([one, one]) == EpisodeTable(2, 4, 6, 8, 10.0, 12.0, 4.0)
    assert total_episodes([]) == EpisodeTable()


changes = st.lists(st.tuples(st.integers(0, END), st.sampled_from(["(AFIB", "(N", "(AFL"])))


@given(changes, changes)
def test_durations_are_those_that_a_clock_would_count(first, second):
    reference, test = rhythms(*sorted(first)), rhythms(*sorted(second))

    def course(marks):
        now, line = "", []
        by_time = dict(zip(marks.sample.tolist(), marks.aux, strict=True))
        for t in range(END):
            now = by_time.get(t, now)
            line.append(now)
        return np.array(line[3000:])

    ref, tst = course(reference), course(test)
    table = af(reference, test)
    assert table.reference_s == pytest.approx(np.sum(ref == "(AFIB") / 10)
    assert table.both_s == pytest.approx(np.sum((ref == "(AFIB") & (tst == "(AFIB")) / 10)
    assert table.test_s == pytest.approx(np.sum((tst == "(AFIB") & (ref != "(AFL")) / 10)
