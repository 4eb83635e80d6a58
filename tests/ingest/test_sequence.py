"""The sequencer: whatever the network does, samples come out in order, every frame is counted."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.clock import NS
from ingest.ledger import MAX_HOLES, MAX_RECENT
from ingest.sequence import MAX_GAP_S, MAX_HELD, MAX_HELD_BYTES, WAIT_NS, Sequencer
from tests.ingest.device import FRAME_NS, FS_HZ, T0, N, figures, make_frame, play


def seqs(pieces):
    return [piece.frame.seq for piece in pieces]


def assert_accounted(sequencer: Sequencer) -> None:
    counts = sequencer.counts
    assert counts.received == (counts.delivered + counts.duplicates + counts.late + counts.waiting)


# -- order ---------------------------------------------------------------------------------------


def test_frames_in_order_come_out_at_once_one_after_the_other():
    sequencer = Sequencer("a/b")
    for seq in range(20):
        (piece,) = play(sequencer, make_frame(seq))
        assert (piece.epoch, piece.sample, piece.missing) == (0, seq * N, 0)
        assert (piece.t_ns, piece.gap_s) == (piece.frame.t_ns, 0)
        assert not piece.clock_stepped
    assert figures(sequencer, "received", "delivered", "lost") == (20, 20, 0)


def test_a_frame_waits_for_the_one_before_it():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0))
    assert play(sequencer, make_frame(2)) == []
    assert sequencer.holds(1, 2) and not sequencer.holds(1, 1) and not sequencer.holds(2, 2)
    assert seqs(play(sequencer, make_frame(1))) == [1, 2]
    assert not sequencer.holds(1, 2)
    assert figures(sequencer, "reordered", "lost", "waiting") == (1, 0, 0)


def test_a_frame_is_waited_for_a_second_then_its_samples_are_missing():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0))
    came_ns = make_frame(2).end_ns
    assert sequencer.push(make_frame(2), came_ns) == []
    assert sequencer.flush(came_ns + WAIT_NS - 1) == []
    (piece,) = sequencer.flush(came_ns + WAIT_NS)
    assert (piece.sample, piece.missing, piece.gap_s) == (2 * N, N, N / FS_HZ)
    assert figures(sequencer, "lost", "delivered") == (1, 2)


def test_no_frame_waits_longer_than_a_second_however_many_gaps_there_are():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0))
    arrivals, waits = {}, []
    for seq in range(2, 40, 2):  # every other frame is lost
        now_ns = make_frame(seq).end_ns
        arrivals[seq] = now_ns
        pieces = sequencer.push(make_frame(seq), now_ns)
        waits += [now_ns - arrivals[s] for s in seqs(pieces)]
    assert waits and max(waits) <= WAIT_NS + 2 * FRAME_NS  # it is looked at with each frame


def test_no_more_than_32_frames_wait():
    sequencer = Sequencer("a/b")
    now_ns = make_frame(100).end_ns  # all at once
    sequencer.push(make_frame(0), now_ns)
    for seq in range(2, 2 + MAX_HELD):
        assert sequencer.push(make_frame(seq), now_ns) == []
    pieces = sequencer.push(make_frame(2 + MAX_HELD), now_ns)
    assert seqs(pieces) == list(range(2, 3 + MAX_HELD))
    assert sequencer.counts.waiting == 0


def test_no_more_than_4_mib_of_samples_wait():
    n = MAX_HELD_BYTES // 2 // 4
    sequencer = Sequencer("a/b")
    sequencer.push(make_frame(0), T0)
    held = [bool(sequencer.push(make_frame(seq, n=n), T0)) for seq in range(2, 8)]
    assert held == [False] * 4 + [True, True]


def test_a_clock_of_this_machine_that_is_set_back_holds_nothing_for_ever():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(2))
    assert seqs(sequencer.flush(T0 - 3600 * NS)) == [2]


def test_a_stream_that_runs_already_is_joined_where_it_is():
    sequencer = Sequencer("a/b")
    (piece,) = play(sequencer, make_frame(5000))
    assert (piece.sample, piece.missing) == (0, 0)
    assert play(sequencer, make_frame(4999)) == []
    assert figures(sequencer, "lost", "late") == (0, 1)


def test_the_first_frames_may_have_changed_places_too():
    sequencer = Sequencer("a/b")
    assert play(sequencer, make_frame(1)) == []
    assert [(p.frame.seq, p.sample) for p in play(sequencer, make_frame(0))] == [(0, 0), (1, N)]


def test_frames_before_the_first_that_was_heard_are_not_lost():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(3))
    (piece,) = sequencer.flush(make_frame(3).end_ns + 2 * WAIT_NS)
    assert (piece.sample, piece.missing) == (0, 0)
    assert sequencer.counts.lost == 0


# -- twice, late, lost ---------------------------------------------------------------------------


def test_a_frame_that_comes_twice_is_a_duplicate_waiting_or_delivered():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(0), make_frame(2), make_frame(2))
    assert figures(sequencer, "duplicates", "delivered", "waiting") == (2, 1, 1)


def test_a_frame_that_was_given_up_is_late_once_then_a_duplicate():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(3))
    sequencer.flush(make_frame(3).end_ns + 2 * WAIT_NS)
    assert sequencer.counts.lost == 2
    assert play(sequencer, make_frame(1), make_frame(1)) == []
    assert figures(sequencer, "lost", "late", "duplicates") == (1, 1, 1)
    assert_accounted(sequencer)


@st.composite
def deliveries(draw):
    """Frames as a network delivers them: dropped, doubled, displaced by up to a few places."""
    n = draw(st.integers(1, 40))
    fates = draw(st.lists(st.sampled_from("....dt"), min_size=n, max_size=n))
    places = []
    for seq, fate in enumerate(fates):
        times = {".": 1, "d": 0, "t": 2}[fate]
        places += [(seq + draw(st.floats(0, 4)), seq) for _ in range(times)]
    return n, [seq for _, seq in sorted(places)]


@given(deliveries())
def test_every_frame_is_accounted_for_and_every_sample_in_its_place(sent):
    n, order = sent
    sequencer = Sequencer("a/b")
    pieces, now_ns = [], T0
    for seq in order:  # time goes on as frames are taken: none is more than 4 places late
        now_ns = max(now_ns, make_frame(seq).end_ns)
        pieces += sequencer.push(make_frame(seq), now_ns)
    pieces += sequencer.flush(now_ns + 2 * WAIT_NS)

    # within the window nothing is late: each distinct frame comes out once, in order
    heard = Counter(order)
    assert seqs(pieces) == sorted(heard)
    counts = sequencer.counts
    assert (counts.late, counts.waiting) == (0, 0)
    assert counts.duplicates == sum(heard.values()) - len(heard)
    if heard:
        assert counts.lost == max(heard) + 1 - min(heard) - len(heard)
        tail = n - 1 - max(heard)  # nobody can know of frames after the last
        assert counts.delivered + counts.lost + min(heard) + tail == n
    assert_accounted(sequencer)
    for piece in pieces:  # the sample's value tells where it belongs
        at = piece.sample + min(heard) * N
        assert piece.frame.x[0].tolist() == [i % 30000 for i in range(at, at + N)]
        assert piece.t_ns == T0 + at * NS // 250


@given(st.lists(st.integers(0, 60), max_size=120), st.randoms(use_true_random=False))
def test_whatever_the_order_nothing_is_counted_twice_or_not_at_all(order, random):
    sequencer = Sequencer("a/b")
    pieces, now_ns = [], T0
    for seq in order:
        now_ns += random.randrange(2 * WAIT_NS)
        pieces += sequencer.push(make_frame(seq), now_ns)
        assert_accounted(sequencer)
    pieces += sequencer.flush(now_ns + 2 * WAIT_NS)
    assert_accounted(sequencer)
    assert seqs(pieces) == sorted(set(seqs(pieces)))
    counts, heard = sequencer.counts, set(order)
    assert counts.waiting == 0
    assert counts.duplicates == len(order) - len(heard)
    assert counts.delivered + counts.late == len(heard)
    if pieces:
        first, last = pieces[0].frame.seq, pieces[-1].frame.seq
        early = {seq for seq in heard if seq < first}
        # lost: of all from the first to the last that were delivered, those never heard of
        assert counts.lost == last + 1 - first - len(heard - early)


# -- the stream begins anew ----------------------------------------------------------------------


def test_a_restart_begins_a_new_stream_after_all_that_waited():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(2))
    pieces = play(sequencer, make_frame(0, boot=2, t_ns=T0 + 10 * NS))
    assert [(p.frame.boot, p.epoch, p.sample) for p in pieces] == [(1, 0, 2 * N), (2, 1, 0)]
    assert figures(sequencer, "restarts", "lost") == (1, 1)


def test_the_first_frames_after_a_restart_are_missed_when_they_do_not_come():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0))
    assert play(sequencer, make_frame(2, boot=2, t_ns=T0 + 10 * NS)) == []
    (piece,) = sequencer.flush(T0 + 12 * NS)
    assert (piece.epoch, piece.sample, piece.missing) == (1, 0, 0)
    assert piece.gap_s == 2 * N / FS_HZ
    assert sequencer.counts.lost == 2


def test_frames_of_the_start_before_are_old_and_bring_nothing_back():
    sequencer = Sequencer("a/b")
    play(sequencer, make_frame(0), make_frame(1), make_frame(0, boot=2, t_ns=T0 + 10 * NS))
    # one that had come, and one that was on its way when the device restarted
    assert play(sequencer, make_frame(1), make_frame(3), make_frame(3)) == []
    assert figures(sequencer, "duplicates", "late", "lost", "restarts") == (2, 1, 1, 1)
    assert seqs(play(sequencer, make_frame(1, boot=2, t_ns=T0 + 10 * NS + FRAME_NS))) == [1]
    assert_accounted(sequencer)


def test_a_device_that_counts_again_without_another_boot_is_not_ignored():
    sequencer = Sequencer("a/b")
    play(sequencer, *(make_frame(seq) for seq in range(100)))
    again = [make_frame(s, t_ns=make_frame(100 + s).t_ns + 5 * NS) for s in range(10)]
    pieces = play(sequencer, *again, again[3])
    assert [(p.epoch, p.sample) for p in pieces] == [(1, s * N) for s in range(10)]
    assert figures(sequencer, "restarts", "duplicates", "lost") == (1, 1, 0)


def test_a_number_that_jumps_far_ahead_and_back_does_not_end_the_stream():
    sequencer = Sequencer("a/b")
    play(sequencer, *(make_frame(seq) for seq in range(5)))
    play(sequencer, make_frame(10**9, t_ns=make_frame(5).t_ns))
    pieces = play(sequencer, *(make_frame(seq) for seq in range(6, 30)))
    pieces += sequencer.flush(make_frame(60).end_ns)
    assert set(range(6, 30)) <= set(seqs(pieces))
    assert sequencer.counts.lost <= 1
    assert_accounted(sequencer)


@pytest.mark.parametrize("changes", [{"fs_hz": 500.0}, {"leads": ("V5",)}])
def test_another_rate_or_other_leads_begin_a_new_stream(changes):
    sequencer = Sequencer("a/b")
    pieces = play(sequencer, make_frame(0), make_frame(1, **changes))
    assert [(p.epoch, p.sample, p.missing) for p in pieces] == [(0, 0, 0), (1, 0, 0)]
    assert sequencer.counts.restarts == 0


def test_a_gap_is_filled_up_to_30_s_only():
    fits = int(MAX_GAP_S * NS // FRAME_NS)
    for lost, epoch, missing in ((fits, 0, fits * N), (fits + 1, 1, 0)):
        sequencer = Sequencer("a/b")
        play(sequencer, make_frame(0), make_frame(lost + 1))
        (piece,) = sequencer.flush(make_frame(lost + 1).end_ns + 2 * WAIT_NS)
        assert (piece.epoch, piece.missing) == (epoch, missing)
        assert piece.gap_s == pytest.approx(lost * FRAME_NS / NS)


# -- going on after a restart of serve -----------------------------------------------------------


def test_what_is_in_the_store_comes_again_as_a_duplicate_and_the_rest_goes_on():
    sequencer = Sequencer("a/b")
    sequencer.resume(1, 9, make_frame(9).end_ns)
    pieces = play(sequencer, *(make_frame(seq) for seq in range(5, 15)), make_frame(10))
    assert [(p.frame.seq, p.sample, p.missing) for p in pieces] == [
        (seq, (seq - 10) * N, 0) for seq in range(10, 15)
    ]
    assert figures(sequencer, "duplicates", "delivered", "lost") == (6, 5, 0)


def test_what_is_lost_while_serve_is_away_is_counted():
    sequencer = Sequencer("a/b")
    sequencer.resume(1, 9, make_frame(9).end_ns)
    assert play(sequencer, make_frame(13)) == []
    (piece,) = sequencer.flush(make_frame(13).end_ns + 2 * WAIT_NS)
    assert (piece.sample, piece.missing) == (0, 0)  # its analysis begins anew
    assert piece.gap_s == pytest.approx(3 * N / FS_HZ)
    play(sequencer, make_frame(11), make_frame(11))
    assert figures(sequencer, "lost", "late", "duplicates") == (2, 1, 1)


def test_a_restart_of_the_device_while_serve_is_away_is_one():
    sequencer = Sequencer("a/b")
    sequencer.resume(1, 9, make_frame(9).end_ns)
    pieces = play(sequencer, make_frame(0, boot=2, t_ns=T0 + 60 * NS))
    assert seqs(pieces) == [0]
    assert figures(sequencer, "restarts", "lost") == (1, 0)


def test_times_that_were_counted_are_counted_on():
    sequencer = Sequencer("a/b")
    sequencer.resume(1, 9, make_frame(9).end_ns)
    (piece,) = play(sequencer, make_frame(10, t_ns=make_frame(10).t_ns - 60 * NS))
    assert piece.t_ns == make_frame(10).t_ns
    assert piece.clock_stepped


# -- memory --------------------------------------------------------------------------------------


def test_memory_is_bounded_whatever_comes():
    random, sequencer = Random(5), Sequencer("a/b")
    now_ns = T0
    for _ in range(20_000):
        now_ns += random.randrange(NS // 20)
        seq = random.choice((random.randrange(2**62), random.randrange(50_000)))
        t_ns = random.choice((now_ns, random.randrange(2**62)))
        sequencer.push(make_frame(seq, random.randrange(50), t_ns, n=1), now_ns)
    assert_accounted(sequencer)
    assert sequencer.counts.lost >= 0
    assert len(sequencer._held) <= MAX_HELD
    assert len(sequencer._past) <= 4
    for ledger in (sequencer._ledger, *sequencer._past):
        assert len(ledger._holes) <= MAX_HOLES + 1
        assert len(ledger._recent) <= MAX_RECENT
