"""Streams that come and go, advanced together: each finds what it would find alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.analyzer import Analyzer
from dsp.synth import demo_record
from ecg import BadSignal, Findings
from telerhythm.pool import Pool

SHAPES = ((250.0, ("II",)), (250.0, ("II", "V5")), (360.0, ("II",)))


@pytest.fixture(scope="module")
def x_mv():
    return demo_record("sinus rhythm with PVCs", minutes=0.5).x_mv[:2]


def alone(shape, pieces) -> Findings:
    analyzer = Analyzer(*shape)
    return Findings.concat([*(analyzer.push(p) for p in pieces), analyzer.finish()])


@given(
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=20),
    sizes=st.lists(st.integers(0, 700), min_size=1, max_size=6),
)
def test_each_stream_finds_what_an_analyzer_of_its_own_finds(x_mv, shapes, sizes):
    pool = Pool()
    seats = [pool.begin(*shape) for shape in shapes]
    edges = np.cumsum([0, *sizes])
    jobs, pieces = [], [[] for _ in shapes]
    for begin, end in pairwise(edges):
        for i, (seat, shape) in enumerate(zip(seats, shapes, strict=True)):
            # another stretch for each: nobody may get a neighbour's samples
            piece = x_mv[: len(shape[1]), begin + 10 * i : end + 10 * i]
            pieces[i].append(piece)
            jobs.append((seat, piece))
    jobs += [(seat, None) for seat in seats]
    found = pool.run(jobs)
    for i, shape in enumerate(shapes):
        mine = [f for f, (seat, _) in zip(found, jobs, strict=True) if seat is seats[i]]
        assert Findings.concat(mine) == alone(shape, pieces[i])


def test_a_seat_that_was_given_back_begins_anew(x_mv):
    pool, shape = Pool(), SHAPES[1]
    for _ in range(40):  # more than there are seats at first
        seat = pool.begin(*shape)
        first, last = pool.run([(seat, x_mv[:, :2500]), (seat, None)])
        assert Findings.concat([first, last]) == alone(shape, [x_mv[:, :2500]])


def test_what_cannot_be_analysed_is_refused_and_takes_no_seat():
    pool = Pool()
    with pytest.raises(BadSignal, match="50"):
        pool.begin(50.0, ("II",))
