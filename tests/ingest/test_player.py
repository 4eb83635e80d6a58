"""The player: a record becomes the frames of a device, each due when its last sample was taken."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg import MISSING, BadRecord, BadSetting, Frame, Record
from ingest.misbehaviour import ClockStep, Misbehaviour, Misdeed, MisdeedKind, Spells
from ingest.player import RAIL, Player
from ingest.sequence import Sequencer
from ingest.wire import decode_frame, encode_frame


def events(player: Player, n: int | None = None):
    return list(islice(player, n))


def frames(player: Player, n: int | None = None) -> list[Frame]:
    return [event for _, event in events(player, n) if isinstance(event, Frame)]


def deeds(player: Player, kind: MisdeedKind) -> list[tuple[float, Misdeed]]:
    return [(s, e) for s, e in player if isinstance(e, Misdeed) and e.kind is kind]


def steps_of(record: Record) -> np.ndarray:
    return np.rint(record.x_mv / record.lsb_mv).astype(np.int16)


# -- well behaved --------------------------------------------------------------------------------


@given(st.integers(1, 700), st.floats(0.01, 3.0), st.sampled_from((0.5, 1.0, 4.0, 100.0)))
def test_all_samples_are_played_once_in_order_when_they_were_taken(n, frame_s, speed):
    x_mv = (np.arange(2 * n).reshape(2, n) * 0.005).astype(np.float32)
    record = Record("steps", 250.0, ("II", "V5"), x_mv)
    player = Player("a/b", record, frame_s=frame_s, speed=speed, boot=5)
    sample = 0
    for seq, (due_s, frame) in enumerate(player):
        assert (frame.device, frame.boot, frame.seq) == ("a/b", 5, seq)
        assert frame.t_ns == round(sample * 1e9 / 250)
        np.testing.assert_array_equal(frame.x, steps_of(record)[:, sample:][:, : frame.n_samples])
        sample += frame.n_samples
        assert due_s == pytest.approx(sample / 250 / speed)
    assert sample == n
    assert player.duration_s == n / 250


def test_playing_again_plays_the_same(make_record):
    ways = Misbehaviour(drop=0.2, duplicate=0.2, reorder=0.2, malformed=0.2, jitter_s=0.1, seed=3)
    player = Player("a/b", make_record(5000), misbehaviour=ways)

    def told(event):
        frame = event if isinstance(event, Frame) else event.frame
        return getattr(event, "kind", None), frame and frame.seq, getattr(event, "damage", None)

    first, second = ([(s, told(e)) for s, e in player] for _ in range(2))
    assert first == second


def test_a_loop_has_no_seam(make_record):
    record = make_record(100)
    player = Player("a/b", record, loop=True, frame_s=0.25)
    played = frames(player, 10)
    assert player.duration_s is None
    x = np.concatenate([f.x for f in played], axis=1)
    rounds = np.tile(steps_of(record), 7)
    np.testing.assert_array_equal(x, rounds[:, : x.shape[1]])
    assert [f.seq for f in played] == list(range(10))
    assert [f.t_ns for f in played] == [round(i * 62 * 1e9 / 250) for i in range(10)]


def test_missing_samples_are_sent_as_missing_and_high_ones_at_the_rail():
    x_mv = np.array([[0.1, np.nan, 1e6, -1e6]], np.float32)
    (frame,) = frames(Player("a/b", Record("odd", 250.0, ("II",), x_mv)))
    assert frame.x.tolist() == [[20, MISSING, RAIL, -RAIL]]


def test_every_frame_passes_the_wire(make_record):
    for frame in frames(Player("a/b", make_record(900, n_leads=3), frame_s=0.5)):
        assert decode_frame(encode_frame(frame), "a/b").seq == frame.seq


def test_as_fast_as_acknowledged_everything_is_due_at_once(make_record):
    assert {due_s for due_s, _ in Player("a/b", make_record(), speed=0)} == {0.0}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"speed": -1}, "speed is -1"),
        ({"speed": float("nan")}, "speed is nan"),
        ({"frame_s": 0}, "frames of 0 s"),
        ({"frame_s": 61}, "frames of 61 s"),
        ({"misbehaviour": Misbehaviour(lead_off_lead=2)}, "lead 2 cannot come off"),
    ],
)
def test_what_makes_no_sense_is_refused(make_record, setting, told):
    with pytest.raises(BadSetting, match=told):
        Player("a/b", make_record(), **setting)


def test_a_record_without_samples_is_refused():
    with pytest.raises(BadRecord, match="empty: no samples"):
        Player("a/b", Record("empty", 250.0, ("II",), np.zeros((1, 0), np.float32)))


# -- misbehaving ---------------------------------------------------------------------------------


def test_every_frame_has_one_fate_and_none_is_forgotten(make_record):
    ways = Misbehaviour(drop=0.2, duplicate=0.2, reorder=0.2, malformed=0.2, seed=1)
    player = Player("a/b", make_record(20_000), misbehaviour=ways)
    fates: dict[int, list[str]] = {}
    for _, event in player:
        frame = event if isinstance(event, Frame) else event.frame
        fates.setdefault(frame.seq, []).append(getattr(event, "kind", "sent"))
    assert sorted(fates) == list(range(len(frames(Player("a/b", make_record(20_000))))))
    assert {tuple(f) for f in fates.values()} == {
        ("sent",),
        ("sent", "duplicated"),
        ("dropped",),
        ("malformed",),
        ("reordered",),
    }


def test_a_reordered_frame_comes_right_after_one_that_follows_it(make_record):
    player = Player("a/b", make_record(20_000), misbehaviour=Misbehaviour(reorder=0.3, seed=2))
    played = [e for _, e in player]
    late = [i for i, e in enumerate(played) if isinstance(e, Misdeed)]
    assert len(late) > 20
    for i in late:
        assert played[i].kind is MisdeedKind.REORDERED
        assert isinstance(played[i - 1], Frame)
        assert played[i - 1].seq == played[i].frame.seq + 1


def test_jitter_delays_by_no_more_and_keeps_the_order(make_record):
    player = Player("a/b", make_record(20_000), misbehaviour=Misbehaviour(jitter_s=1.0))
    dues = [due_s for due_s, _ in player]
    late = [due_s - f.end_ns / 1e9 for due_s, f in player]
    assert dues == sorted(dues)
    assert min(late) >= -1e-6 and 0.5 < max(late) <= 1.0


def test_a_restart_loses_no_sample(make_record):
    record = make_record(5000)
    player = Player(
        "a/b", record, frame_s=0.5, boot=7, misbehaviour=Misbehaviour(restart_every_s=6)
    )
    played = frames(player)
    assert [f.boot for f in played] == [7] * 12 + [8] * 12 + [9] * 12 + [10] * 4
    assert [f.seq for f in played] == [*range(12), *range(12), *range(12), *range(4)]
    x = np.concatenate([f.x for f in played], axis=1)
    np.testing.assert_array_equal(x, steps_of(record))
    assert [s for s, _ in deeds(player, MisdeedKind.RESTARTED)] == [6, 12, 18]


@pytest.mark.parametrize(("speed", "for_s"), [(1.0, 2.0), (4.0, 0.5), (0, 0)])
def test_a_connection_breaks_for_its_time_by_the_player_s_own_clock(make_record, speed, for_s):
    ways = Misbehaviour(disconnect=Spells(5, 2))
    player = Player("a/b", make_record(4000), speed=speed, misbehaviour=ways)
    breaks = deeds(player, MisdeedKind.DISCONNECTED)
    assert [deed.for_s for _, deed in breaks] == [for_s] * 3
    assert sum(f.n_samples for f in frames(player)) == 4000


def test_a_clock_that_drifts_and_steps_is_told_samples_stay(make_record):
    ways = Misbehaviour(drift_ppm=200, clock_step=ClockStep(10, -3))
    true = frames(Player("a/b", make_record(5000)))
    shown = frames(Player("a/b", make_record(5000), misbehaviour=ways))
    for t, s in zip(true, shown, strict=True):
        step_ns = -3e9 if t.t_ns >= 10e9 else 0
        assert s.t_ns == pytest.approx(t.t_ns * (1 + 200e-6) + step_ns, abs=1)
        np.testing.assert_array_equal(t.x, s.x)


def test_a_lead_that_is_off_stands_at_the_rail_with_its_bit_set(make_record):
    ways = Misbehaviour(lead_off=Spells(4, 1), lead_off_lead=1)
    record = make_record(2500)
    for frame in frames(Player("a/b", record, frame_s=0.5, misbehaviour=ways)):
        begins_s = frame.t_ns / 1e9
        is_off = begins_s >= 4 and begins_s % 4 < 1
        assert frame.lead_off == (0b10 if is_off else 0)
        assert (frame.x[1] == RAIL).all() == is_off
        assert not (frame.x[0] == RAIL).any()


def sine(n: int = 20_000) -> Record:
    x_mv = np.sin(np.arange(n) / 20) * np.array([[1.0], [0.3]])
    return Record("sine", 250.0, ("II", "V5"), x_mv.astype(np.float32), lsb_mv=0.001)


@pytest.mark.parametrize("snr_db", [-6.0, 0.0, 12.0, 24.0])
@pytest.mark.parametrize("is_recorded", [False, True])
def test_noise_has_the_strength_asked_for_in_each_lead(snr_db, is_recorded):
    record = sine()
    rough = np.random.default_rng(3).standard_normal((1, 9000)).cumsum(axis=1) * 0.01 + 2
    noise = Record("noise", 360.0, ("n",), rough.astype(np.float32)) if is_recorded else None
    ways = Misbehaviour(snr_db=snr_db, noise=noise)
    played = frames(Player("a/b", record, misbehaviour=ways))
    noise_mv = np.concatenate([f.x for f in played], axis=1) * record.lsb_mv - record.x_mv
    noise_mv = noise_mv[:, : 250 * 25 * 3]  # three rounds of the recorded one
    snr = 10 * np.log10(record.x_mv.var(axis=1) / (noise_mv**2).mean(axis=1))
    np.testing.assert_allclose(snr, snr_db, atol=0.2)


def test_devices_do_not_share_their_noise_nor_their_fates(make_record):
    ways = Misbehaviour(snr_db=0.0, drop=0.5)
    one, two = (Player(d, sine(2000), misbehaviour=ways) for d in ("a/1", "a/2"))
    dropped = [[d.frame.seq for _, d in deeds(p, MisdeedKind.DROPPED)] for p in (one, two)]
    assert dropped[0] != dropped[1]
    noise = [np.concatenate([f.x for f in frames(Player(d, sine(2000),
             misbehaviour=Misbehaviour(snr_db=0.0)))], axis=1) - steps_of(sine(2000))
             for d in ("a/1", "a/2")]  # fmt: skip
    assert abs(np.corrcoef(noise[0][0], noise[1][0])[0, 1]) < 0.1


# -- player and sequencer ------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_the_sequencer_finds_out_exactly_what_the_player_did(seed):
    ways = Misbehaviour(drop=0.1, duplicate=0.2, reorder=0.2, jitter_s=0.3, seed=seed)
    x_mv = np.zeros((1, 250 * 20), np.float32)
    player = Player("a/b", Record("flat", 250.0, ("II",), x_mv), misbehaviour=ways)
    done = dict.fromkeys(MisdeedKind, 0)
    sequencer, pieces, heard = Sequencer("a/b"), [], set()
    for due_s, event in player:
        kind = getattr(event, "kind", None)
        if kind is not None:
            done[kind] += 1
        if kind is not MisdeedKind.DROPPED:
            frame = event if kind is None else event.frame
            heard.add(frame.seq)
            pieces += sequencer.push(frame, round(due_s * 1e9))
    pieces += sequencer.flush(10**12)
    counts = sequencer.counts
    assert [p.frame.seq for p in pieces] == sorted(heard)
    assert counts.duplicates == done[MisdeedKind.DUPLICATED]
    assert counts.lost == max(heard) + 1 - min(heard) - len(heard)
    assert counts.reordered == done[MisdeedKind.REORDERED]
    assert (counts.late, counts.clock_steps, counts.pauses, counts.restarts) == (0, 0, 0, 0)
