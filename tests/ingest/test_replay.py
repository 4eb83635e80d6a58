"""The device simulator on a real broker: what it says it published is what a server receives."""

from __future__ import annotations

import queue
import time
from collections import Counter

import numpy as np
import pytest

from ecg import BadFrame, BadSetting, Frame
from ingest.misbehaviour import Misbehaviour, Spells
from ingest.mqtt import Delivery, Link
from ingest.replay import MAX_LINKS, NoBroker, Player, Replay, Stats
from ingest.sequence import Sequencer
from ingest.wire import SUBSCRIPTIONS, decode_frame, decode_status, parse_topic

pytestmark = pytest.mark.broker


class Ward:
    """What serve would receive; everything is acknowledged at once."""

    def __init__(self, broker) -> None:
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self.link = Link(
            broker.host,
            broker.port,
            "ward",
            subscriptions=SUBSCRIPTIONS,
            on_message=self._take,
            clean=False,
        )
        self.link.start()
        assert self.link.wait_ready(5.0)
        self.frames: dict[str, list[tuple[Frame, int]]] = {}
        self.statuses: dict[str, list[bool]] = {}
        self.malformed = 0

    def _take(self, delivery: Delivery) -> None:
        self._queue.put(delivery)
        self.link.ack(delivery)

    def hear(self, until=lambda: False, quiet_s: float = 0.5, timeout_s: float = 20.0) -> None:
        """Take in what comes, until a condition holds or nothing has come for a while."""
        deadline = time.monotonic() + timeout_s
        while not until() and time.monotonic() < deadline:
            try:
                delivery = self._queue.get(timeout=quiet_s)
            except queue.Empty:
                return
            topic = parse_topic(delivery.topic)
            device = f"{topic.site}/{topic.device}"
            if topic.kind == "status":
                online = decode_status(delivery.payload).is_online
                self.statuses.setdefault(device, []).append(online)
                continue
            try:
                frame = decode_frame(delivery.payload, device)
            except BadFrame:
                self.malformed += 1
            else:
                self.frames.setdefault(device, []).append((frame, delivery.received_ns))

    def seqs(self, device: str = "a/1") -> list[int]:
        return [frame.seq for frame, _ in self.frames.get(device, [])]


@pytest.fixture
def ward(broker):
    ward = Ward(broker)
    yield ward
    ward.link.stop()


@pytest.fixture
def replay(broker):
    """Makes a replay that is stopped in the end."""
    made: list[Replay] = []

    def make(*players: Player) -> Replay:
        made.append(Replay(broker.host, broker.port, players))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_a_record_arrives_whole_and_every_frame_is_accounted_for(ward, replay, make_record):
    record = make_record(5000)
    before_ns = time.time_ns()
    run = replay(Player("a/1", record, speed=0), Player("a/2", record, speed=50, frame_s=1.0))
    assert run.join(15.0)
    ward.hear()
    steps = np.rint(record.x_mv / record.lsb_mv).astype(np.int16)
    for device in ("a/1", "a/2"):
        played = [frame for frame, _ in ward.frames[device]]
        assert [f.seq for f in played] == list(range(len(played)))
        np.testing.assert_array_equal(np.concatenate([f.x for f in played], axis=1), steps)
        assert run.stats_of(device).published == len(played)
        # times of the past, so that they end at about now
        assert before_ns - 2e9 < played[-1].end_ns < time.time_ns() + 1e9
    assert run.stats.published == sum(map(len, ward.frames.values()))
    assert (run.stats.unacknowledged, run.stats.refused) == (0, 0)


def test_in_real_time_frames_come_when_their_last_sample_is_taken(ward, replay, make_record):
    run = replay(Player("a/1", make_record(500), frame_s=0.2))
    assert run.join(10.0)
    ward.hear()
    delays_s = [(came_ns - frame.end_ns) / 1e9 for frame, came_ns in ward.frames["a/1"]]
    assert len(delays_s) == 10
    assert min(delays_s) > -0.01
    assert sorted(delays_s)[5] < 0.2


def test_devices_say_that_they_are_there_and_that_they_go(ward, replay, make_record):
    run = replay(Player("a/1", make_record(), loop=True))
    ward.hear(until=lambda: ward.seqs())
    assert ward.statuses["a/1"] == [True]
    run.stop()
    ward.hear()
    assert ward.statuses["a/1"] == [True, False]


def test_misdeeds_are_counted_as_the_server_sees_them(ward, replay, make_record):
    ways = Misbehaviour(drop=0.1, duplicate=0.1, reorder=0.1, malformed=0.1, seed=4)
    run = replay(Player("a/1", make_record(20_000), speed=0, misbehaviour=ways))
    assert run.join(20.0)
    ward.hear()
    stats, heard = run.stats, Counter(ward.seqs())
    n_frames = -(-20_000 // 62)
    assert stats.published == len(heard)
    assert stats.published + stats.dropped_on_purpose + stats.malformed == n_frames
    assert stats.duplicated == sum(heard.values()) - len(heard)
    assert stats.malformed == ward.malformed
    assert min(stats.dropped_on_purpose, stats.reordered, stats.duplicated, stats.malformed) > 0
    sequencer, pieces = Sequencer("a/1"), []
    for frame, came_ns in ward.frames["a/1"]:
        pieces += sequencer.push(frame, came_ns)
    pieces += sequencer.flush(time.time_ns() + 10**10)
    assert [p.frame.seq for p in pieces] == sorted(heard)
    assert sequencer.counts.duplicates == stats.duplicated
    # what was overtaken by a frame that cannot be read was not overtaken, for the server
    firsts = list(heard)
    overtaken = sum(seq < max(firsts[: i + 1]) for i, seq in enumerate(firsts))
    assert sequencer.counts.reordered == overtaken <= stats.reordered
    tail = n_frames - 1 - max(heard)  # nobody hears of what is missing at the end
    assert sequencer.counts.lost + min(heard) + tail == stats.dropped_on_purpose + stats.malformed


def test_a_broken_connection_loses_nothing_and_sets_off_the_will(ward, replay, make_record):
    ways = Misbehaviour(disconnect=Spells(1.0, 0.5))
    run = replay(Player("a/1", make_record(500), misbehaviour=ways))
    assert run.join(20.0)
    ward.hear(quiet_s=1.0)
    assert run.stats.disconnects == 1
    assert sorted(set(ward.seqs())) == list(range(9))
    assert run.stats.published == 9
    assert ward.statuses["a/1"] == [True, False, True, False]


def test_a_pulled_plug_is_silent_and_goes_on_at_the_time_that_it_is(ward, replay, make_record):
    run = replay(Player("a/1", make_record(), loop=True), Player("a/2", make_record(), loop=True))
    ward.hear(until=lambda: len(ward.seqs()) >= 3)
    run.pause("a/1")
    ward.hear(until=lambda: ward.statuses["a/1"][-1] is False)
    n_before, n_other = len(ward.seqs()), len(ward.seqs("a/2"))
    ward.hear(until=lambda: len(ward.seqs("a/2")) >= n_other + 4)
    assert len(ward.seqs()) == n_before
    run.resume("a/1")
    ward.hear(until=lambda: len(set(ward.seqs())) >= n_before + 3)
    last = max(ward.seqs())
    assert sorted(set(ward.seqs())) == list(range(last + 1))
    sequencer = Sequencer("a/1")
    pieces = [p for frame, came_ns in ward.frames["a/1"] for p in sequencer.push(frame, came_ns)]
    assert (sequencer.counts.pauses, sequencer.counts.clock_steps) == (1, 0)
    assert max(p.gap_s for p in pieces) > 0.5
    assert abs(time.time_ns() - pieces[-1].frame.end_ns) < 2e9


def test_a_broker_that_goes_and_comes_back_costs_no_frame(
    broker, ward, replay, make_record, wait_until
):
    run = replay(Player("a/1", make_record(), loop=True, frame_s=0.1))
    ward.hear(until=lambda: len(ward.seqs()) >= 3)
    broker.stop()
    wait_until(lambda: run.stats.unacknowledged >= 5, 10.0)
    broker.start()
    assert ward.link.wait_ready(10.0)
    wait_until(lambda: run.stats.unacknowledged <= 2, 10.0)
    run.stop()
    ward.hear()
    assert (run.stats.unacknowledged, run.stats.refused) == (0, 0)
    assert sorted(set(ward.seqs())) == list(range(run.stats.published))


def test_many_devices_share_connections(ward, replay, make_record):
    n = MAX_LINKS + 6
    record = make_record(50)
    run = replay(*(Player(f"a/{i}", record, speed=0) for i in range(n)))
    assert run.join(20.0)
    ward.hear()
    assert {device: len(f) for device, f in ward.frames.items()} == {f"a/{i}": 1 for i in range(n)}
    assert run.stats.published == n


def test_two_devices_of_one_name_or_none_are_refused(make_record):
    with pytest.raises(BadSetting, match="a/1 is there twice"):
        Replay("localhost", 1, [Player("a/1", make_record()), Player("a/1", make_record())])
    with pytest.raises(BadSetting, match="no device"):
        Replay("localhost", 1, [])


def test_without_a_broker_the_address_is_told(stopped_broker, make_record):
    run = Replay(stopped_broker.host, stopped_broker.port, [Player("a/1", make_record())])
    with pytest.raises(NoBroker, match=f":{stopped_broker.port} within 0.3 s"):
        run.start(timeout_s=0.3)


def test_an_unknown_device_is_told_with_those_that_there_are(replay, make_record):
    run = replay(Player("a/1", make_record(), loop=True))
    with pytest.raises(BadSetting, match="no device 'a/9' here: there are a/1"):
        run.pause("a/9")


def test_figures_add_up_but_for_the_latest():
    together = Stats(published=2, late_max_s=0.5)
    together.add(Stats(published=3, late_max_s=0.2))
    assert (together.published, together.late_max_s) == (5, 0.5)
