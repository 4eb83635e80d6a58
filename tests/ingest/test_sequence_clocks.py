"""The sequencer and clocks: those that drift or are set; no time is told twice."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from ecg.clock import NS
from ingest.sequence import DRIFT, SLEW, STEP_NS, WAIT_NS, Sequencer
from tests.ingest.device import FRAME_NS, FS_HZ, NETWORK_NS, T0, N, figures, make_frame, play


@pytest.mark.parametrize("ppm", [-500, -50, 50, 500])
def test_a_clock_that_drifts_is_followed_and_is_no_step(ppm):
    sequencer = Sequencer("a/b")
    for seq in range(0, 20_000):
        shown_ns = T0 + round(seq * FRAME_NS * (1 + ppm * 1e-6))
        true_ns = T0 + (seq + 1) * FRAME_NS
        (piece,) = sequencer.push(make_frame(seq, t_ns=shown_ns), true_ns + NETWORK_NS)
        assert (piece.t_ns, piece.sample, piece.missing) == (shown_ns, seq * N, 0)
    assert figures(sequencer, "clock_steps", "pauses") == (0, 0)
    assert abs(shown_ns - make_frame(seq).t_ns) > STEP_NS  # it drifted far


def test_long_frames_of_a_clock_that_drifts_are_no_step():
    sequencer = Sequencer("a/b")
    t_ns, n = T0, 15_000
    for seq in range(50):
        play(sequencer, make_frame(seq, t_ns=t_ns, n=n))
        t_ns += round(n / FS_HZ * NS * (1 + DRIFT))
    assert figures(sequencer, "clock_steps", "pauses") == (0, 0)


def test_time_stamps_that_are_a_little_late_now_and_then_are_no_step():
    random, sequencer = Random(3), Sequencer("a/b")
    for seq in range(500):
        late_ns = random.randrange(STEP_NS)
        sequencer.push(
            make_frame(seq, t_ns=T0 + seq * FRAME_NS + late_ns), make_frame(seq + 1).end_ns
        )
    assert figures(sequencer, "clock_steps", "pauses") == (0, 0)


def stepped(by_ns: int, at: int, n: int, first: int = 0):
    """Frames as they come from a device whose clock is set at frame `at`; pieces, sequencer."""
    sequencer = Sequencer("a/b")
    pieces = []
    for seq in range(first, n):
        shown_ns = make_frame(seq).t_ns + (by_ns if seq >= at else 0)
        pieces += sequencer.push(
            make_frame(seq, t_ns=shown_ns), make_frame(seq).end_ns + NETWORK_NS
        )
    return sequencer, pieces


@pytest.mark.parametrize("by_s", [-86400 * 365, -3600, -2, -0.2, 0.2, 2, 3600, 86400 * 365])
def test_a_clock_that_is_set_is_noticed_once_and_no_time_comes_twice(by_s):
    sequencer, pieces = stepped(round(by_s * NS), at=10, n=40)
    assert figures(sequencer, "clock_steps", "pauses", "lost", "delivered") == (1, 0, 0, 40)
    assert [p.clock_stepped for p in pieces[:10]] == [False] * 10
    assert pieces[10].clock_stepped
    assert [(p.epoch, p.sample, p.missing) for p in pieces] == [(0, s * N, 0) for s in range(40)]
    for before, after in pairwise(pieces):
        assert after.t_ns - before.t_ns == pytest.approx(FRAME_NS, rel=1.5 / SLEW)


def test_after_a_small_step_times_are_led_to_the_clock():
    sequencer, pieces = stepped(-NS // 2, at=10, n=600)
    assert pieces[-1].t_ns == pieces[-1].frame.t_ns
    assert not pieces[-1].clock_stepped
    n_stepped = sum(p.clock_stepped for p in pieces)
    assert n_stepped == pytest.approx(NS / 2 / (FRAME_NS / SLEW), rel=0.05)
    assert sequencer.counts.clock_steps == 1


def test_a_device_that_takes_no_samples_for_a_while_has_a_pause_not_another_clock():
    sequencer = Sequencer("a/b")
    away_ns = 7 * NS
    frames = [make_frame(s, t_ns=T0 + s * FRAME_NS + (away_ns if s >= 5 else 0)) for s in range(9)]
    pieces = play(sequencer, *frames)
    assert figures(sequencer, "pauses", "clock_steps", "lost") == (1, 0, 0)
    assert (pieces[5].missing, pieces[5].gap_s) == (7 * 250, 7.0)
    assert all(p.t_ns == p.frame.t_ns for p in pieces)


def test_a_pause_among_frames_that_the_broker_had_kept_is_one_all_the_same():
    sequencer, now_ns = Sequencer("a/b"), T0 + 3600 * NS  # all at once, an hour later
    pieces = []
    for seq in range(9):
        t_ns = T0 + seq * FRAME_NS + (7 * NS if seq >= 5 else 0)
        pieces += sequencer.push(make_frame(seq, t_ns=t_ns), now_ns)
    assert figures(sequencer, "pauses", "clock_steps") == (1, 0)
    assert pieces[5].missing == 7 * 250


def test_a_clock_that_learns_the_date_is_believed_from_then_on():
    sequencer = Sequencer("a/b")
    pieces = []
    for seq in range(10):  # since 1970 at first
        t_ns = make_frame(seq).t_ns - (T0 if seq < 5 else 0)
        pieces += sequencer.push(make_frame(seq, t_ns=t_ns), make_frame(seq).end_ns + NETWORK_NS)
    assert figures(sequencer, "clock_steps", "pauses") == (1, 0)
    assert [p.clock_stepped for p in pieces] == [s == 5 for s in range(10)]
    assert [p.epoch for p in pieces] == [0] * 5 + [1] * 5
    assert all(p.t_ns == p.frame.t_ns and p.gap_s == 0 for p in pieces)


def test_a_clock_set_within_a_gap_does_not_change_its_length():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(1))
    after = make_frame(4, t_ns=make_frame(4).t_ns - 3600 * NS)
    now_ns = make_frame(4).end_ns
    assert sequencer.push(after, now_ns) == []
    (piece,) = sequencer.flush(now_ns + 2 * WAIT_NS)
    assert (piece.missing, piece.sample, piece.t_ns) == (2 * N, 4 * N, make_frame(4).t_ns)
    assert figures(sequencer, "clock_steps", "lost") == (1, 2)


def test_frames_of_unequal_length_leave_gaps_as_long_as_the_clock_says():
    sequencer = Sequencer("a/b")
    first = make_frame(0)
    third = make_frame(2, t_ns=first.end_ns + 3 * NS, n=20)  # the second had 3 s
    play(sequencer, first, third)
    (piece,) = sequencer.flush(third.end_ns + 2 * WAIT_NS)
    assert (piece.missing, piece.sample) == (750, N + 750)
