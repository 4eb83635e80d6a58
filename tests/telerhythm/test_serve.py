"""`telerhythm serve` with a real broker and a real store: what it keeps, counts and survives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from alerts.words import (
    Acknowledge,
    alarm_topic,
    command_topic,
    decode_state,
    encode_command,
    live_topic,
)
from dsp.synth import demo_record
from ecg import Frame, Record, StoreError
from ecg.clock import NS, now_ns
from ingest.mqtt import Delivery, Link
from ingest.replay import Misbehaviour, Player, Replay
from ingest.wire import encode_frame, encode_status, frame_topic, status_topic
from store.base import Row, Token
from store.sqlite import SqliteReader, SqliteStore
from telerhythm.serve import Server
from telerhythm.settings import Settings

pytestmark = pytest.mark.broker

BEDS = ("1", "2")
FAST = 8.0  # times real time


def play(broker: Any, record: Record, speed: float = FAST, **ways: Any) -> Replay:
    players = [
        Player(f"site/{bed}", record, speed=speed, misbehaviour=Misbehaviour(**ways))
        for bed in BEDS
    ]
    replay = Replay(broker.host, broker.port, players)
    replay.start()
    return replay


def test_what_devices_publish_is_stored_whole_and_analysed(broker, serve, wait_until):
    record = demo_record("sinus rhythm", minutes=0.5)
    replay = play(broker, record)
    replay.join()
    published = replay.stats.published
    wait_until(lambda: serve.stored() == published, 30.0)
    expected = np.rint(record.x_mv[0] / record.lsb_mv).astype(np.int16)
    for bed in BEDS:
        assert np.array_equal(serve.samples(bed), expected)
        with SqliteReader(serve.store) as reader:
            beats = reader.beats(f"p-{bed}", 0, 2**62)
            assert reader.vitals(f"p-{bed}", 0, 2**62).size >= 28
        rate = 60e9 / np.median(np.diff(beats["t_ns"]))
        assert 40 < rate < 120
    report = serve.stop()
    assert report["frames_stored"] == published
    assert report["complaints"] == {}


def test_frames_in_disorder_are_stored_once_each(broker, serve, wait_until):
    record = demo_record("sinus rhythm", minutes=0.5)
    replay = play(broker, record, drop=0.02, duplicate=0.1, reorder=0.1, seed=3)
    replay.join()
    stats = replay.stats
    assert stats.duplicated and stats.reordered and stats.dropped_on_purpose
    wait_until(lambda: serve.stored() == stats.published, 30.0)
    report = serve.stop()
    assert report["frames_received"] == stats.published + stats.duplicated
    assert report["complaints"]["duplicates"] == stats.duplicated
    # a last frame that is missing cannot be known
    assert stats.dropped_on_purpose - len(BEDS) <= report["complaints"]["lost"]
    assert report["complaints"]["lost"] <= stats.dropped_on_purpose


def test_nothing_is_lost_when_serve_is_killed(broker, serve, wait_until):
    record = demo_record("sinus rhythm", minutes=0.5)
    replay = play(broker, record, speed=4.0)
    wait_until(lambda: serve.stored() > 20, 30.0)
    serve.kill()
    serve.start()
    replay.join()
    published = replay.stats.published
    wait_until(lambda: serve.stored() == published, 60.0)
    expected = np.rint(record.x_mv[0] / record.lsb_mv).astype(np.int16)
    for bed in BEDS:
        assert np.array_equal(serve.samples(bed), expected)
    serve.stop()


def test_nothing_is_lost_when_the_broker_restarts(broker, serve, wait_until):
    record = demo_record("sinus rhythm", minutes=0.5)
    replay = play(broker, record, speed=4.0)
    wait_until(lambda: serve.stored() > 20, 30.0)
    broker.stop()
    broker.start()
    replay.join()
    published = replay.stats.published
    wait_until(lambda: serve.stored() == published, 60.0)
    serve.stop()


def test_nonsense_is_counted_and_shown_and_stops_nobody_else(broker, serve, wait_until):
    record = demo_record("sinus rhythm", minutes=0.25)
    for payload in (b"", b"\xff" * 20, b"\xa1\x61v\x01", b"x" * 100_000):
        serve.link.publish(frame_topic("site/1"), payload)
    replay = Replay(broker.host, broker.port, [Player("site/2", record, speed=FAST)])
    replay.start()
    wait_until(lambda: "bad_data" in serve.kinds("1"), 20.0)
    replay.join()
    published = replay.stats.published
    wait_until(lambda: serve.stored() == published, 20.0)
    assert "bad_data" not in serve.kinds("2")
    report = serve.stop()
    assert report["complaints"]["malformed"] == 4
    told = [line for line in serve.log.splitlines() if "malformed" in line and "site/1" in line]
    assert len(told) == 1  # at most once a minute


def test_a_device_at_no_bed_is_told_to_the_ward(serve, wait_until):
    # one that has been switched off disturbs nobody, though its last word is retained
    serve.link.publish(status_topic("site/gone"), encode_status(False), retain=True)
    serve.link.publish(frame_topic("site/stranger"), b"whatever")
    wait_until(lambda: "unknown_device" in serve.kinds("_system"), 20.0)
    (alarm,) = serve.alarms["_system"].alarms
    assert "site/stranger" in alarm.text
    assert serve.stop()["complaints"]["unknown_device"] == 1


def test_a_clock_that_steps_back_is_told_at_its_bed_alone(serve, wait_until):
    begin_ns = now_ns()
    for bed, step_ns in (("1", -3600 * NS), ("2", 0)):
        for seq in range(8):
            t_ns = begin_ns + seq * NS + (step_ns if seq >= 4 else 0)
            frame = Frame(
                device=f"site/{bed}",
                boot=1,
                seq=seq,
                t_ns=t_ns,
                fs_hz=250.0,
                leads=("II",),
                lsb_uv=np.full(1, 5.0, np.float32),
                x=np.zeros((1, 250), np.int16),
            )
            serve.link.publish(frame_topic(frame.device), encode_frame(frame))
    wait_until(lambda: serve.stored() == 16, 20.0)
    wait_until(lambda: "clock_wrong" in serve.kinds("1"), 5.0)
    assert serve.stop()["complaints"]["clock_steps"] == 1


def test_an_alarm_is_acknowledged_over_the_broker(serve, wait_until):
    serve.link.publish(frame_topic("site/1"), b"")
    wait_until(lambda: "bad_data" in serve.kinds("1"), 20.0)
    (alarm,) = [a for a in serve.alarms["1"].alarms if a.kind == "bad_data"]
    command = Acknowledge(alarm.id, "nurse", now_ns())
    serve.link.publish(command_topic("icu", "1"), b"not a command")
    serve.link.publish(command_topic("icu", "1"), encode_command(command))
    wait_until(lambda: any(a.acknowledged_by == "nurse" for a in serve.alarms["1"].alarms), 20.0)
    with SqliteReader(serve.store) as reader:
        wait_until(lambda: len(reader.transitions(0, 2**62, bed="1")) >= 2, 5.0)
        phases = [row.phase for row in reader.transitions(0, 2**62, bed="1")][:2]
    assert phases == ["raised", "acknowledged"]
    serve.stop()


class FullDisk:
    """A store that takes nothing while `is_full`."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_full = False

    def append(self, rows: Sequence[Row]) -> Token:
        if self.is_full:
            raise StoreError("disk full")
        return self._store.append(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_full_disk_stops_neither_alarms_nor_pictures_and_loses_nothing(
    broker, tmp_path, wait_until
):
    heard: list[str] = []

    def hear(delivery: Delivery) -> None:
        heard.append(delivery.topic)
        if delivery.topic == alarm_topic("icu", "_system"):
            troubles.append([a.kind.value for a in decode_state(delivery.payload).alarms])
        watcher.ack(delivery)

    troubles: list[list[str]] = []
    topics = [(alarm_topic("icu", "+"), 1), (live_topic("icu", "+"), 0)]
    watcher = Link(broker.host, broker.port, "watcher", subscriptions=topics, on_message=hear)
    watcher.start()
    beds = [{"ward": "icu", "bed": b, "patient": f"p-{b}", "device": f"site/{b}"} for b in BEDS]
    settings = Settings(broker={"port": broker.port}, beds=beds)
    record = demo_record("sinus rhythm", minutes=0.4)
    with SqliteStore(tmp_path / "store.sqlite") as real:
        store = FullDisk(real)
        server = Server(settings, store)
        thread = threading.Thread(target=server.run)
        thread.start()
        replay = play(broker, record, speed=2.0)
        wait_until(lambda: server.figures.frames_stored > 8, 30.0)
        store.is_full = True
        wait_until(lambda: ["store_trouble"] in troubles, 20.0)
        seen = len(heard)
        wait_until(lambda: len(heard) > seen + 8, 20.0)  # the screens still get their pictures
        store.is_full = False
        replay.join()
        wait_until(lambda: server.figures.frames_stored == replay.stats.published, 30.0)
        wait_until(lambda: troubles[-1] == [], 30.0)
        server.stop()
        thread.join(20.0)
    watcher.stop()
    assert server.complaints.counts["store"] > 0
