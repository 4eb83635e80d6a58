"""The hub: from the broker to the browsers, whatever else is sent on the topics of the ward."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import numpy as np
import pytest

from alerts.words import (
    Acknowledge,
    BedAlarms,
    Priority,
    alarm_topic,
    command_topic,
    decode_command,
    encode_state,
    live_topic,
)
from dashboard.live import Hub
from dashboard.screens import Screen
from ecg import LiveChunk, encode_live
from tests.dashboard.conftest import Broker, Ward, alarm, pulses, wait_until


def payload(ward: str = "a", bed: str = "1", sample: int = 0) -> bytes:
    x = np.arange(8, dtype=np.int16).reshape(2, 4)
    return encode_live(
        LiveChunk(ward, bed, 1, sample, 0, 250.0, ("II", "V5"), (5.0, 5.0), x, hr_bpm=61.0)
    )


def document(ward: str = "a", bed: str = "1") -> bytes:
    return encode_state(BedAlarms(ward, bed, 1, "", "device", "s/d", True, ("II",), ()))


@pytest.fixture
def idle() -> Hub:
    """Not connected to anything."""
    return Hub("127.0.0.1", 1)


@pytest.fixture
def hub(broker: Broker) -> Iterator[Hub]:
    made = Hub("127.0.0.1", broker.port)
    made.start()
    wait_until(lambda: made.is_connected)
    yield made
    made.stop()


UNREADABLE = {
    "no topic of a bed": ("ward/v1/a/1/other", b"x"),
    "empty signal": (live_topic("a", "1"), b""),
    "length beyond the end": (live_topic("a", "1"), b"\xff\xff\xff\x7f{}"),
    "header that is no JSON": (live_topic("a", "1"), b"\x04\0\0\0nope"),
    "header that is no object": (live_topic("a", "1"), b"\x04\0\0\0[1] "),
    "signal cut off": (live_topic("a", "1"), payload()[:-3]),
    "signal of another bed": (live_topic("a", "2"), payload(bed="1")),
    "alarms that are no JSON": (alarm_topic("a", "1"), b"{"),
    "alarms of no version": (alarm_topic("a", "1"), b"{}"),
    "alarms that are a list": (alarm_topic("a", "1"), b"[]"),
    "alarms that are no text": (alarm_topic("a", "1"), b"\xff\xfe"),
    "alarms of another bed": (alarm_topic("a", "2"), document(bed="1")),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_and_changes_nothing(idle: Hub, name: str) -> None:
    idle.take(alarm_topic("a", "1"), document())
    idle.take(live_topic("a", "1"), payload())
    before = idle.state.beds("a", 0.0), len(idle.state.history("a", 0.0))
    with pytest.raises((KeyError, TypeError, ValueError)):
        idle.take(*UNREADABLE[name])
    assert (idle.state.beds("a", 0.0), len(idle.state.history("a", 0.0))) == before


def test_an_empty_retained_document_takes_the_bed_away(idle: Hub) -> None:
    idle.take(alarm_topic("a", "1"), document())
    idle.take(alarm_topic("a", "1"), b"")
    assert idle.state.beds("a", 0.0) == []


def test_a_browser_gets_its_own_ward_each_chunk_once(idle: Hub) -> None:
    async def play() -> tuple[list[bytes], list[bytes]]:
        idle.take(live_topic("a", "1"), payload(sample=0))
        screen = Screen("a", asyncio.get_running_loop())
        before = [data for _, data in idle.join(screen)]
        idle.take(live_topic("a", "1"), payload(sample=4))
        idle.take(live_topic("b", "1"), payload(ward="b"))
        after = await screen.take(5.0)
        idle.leave(screen)
        idle.take(live_topic("a", "1"), payload(sample=8))
        return before, after + await screen.take(0.0)

    assert asyncio.run(play()) == ([payload(sample=0)], [payload(sample=4)])


def test_an_acknowledgement_without_a_broker_is_not_sent_and_that_is_told(idle: Hub) -> None:
    assert idle.acknowledge("a", "1", "id", "Anna") is False


def test_an_acknowledgement_arrives_with_the_alarm_and_the_name(hub: Hub, ward: Ward) -> None:
    ward.bed("7", None)
    wait_until(lambda: hub.state.beds("a", 0.0))
    assert hub.acknowledge("a", "7", "asystole.1", "Anna Bähr") is True
    wait_until(lambda: ward.commands)
    (topic, data) = ward.commands[0]
    command = decode_command(data)
    assert topic == command_topic("a", "7")
    assert isinstance(command, Acknowledge)
    assert (command.alarm_id, command.by) == ("asystole.1", "Anna Bähr")
    assert command.t_ns > 0


def test_rubbish_on_a_topic_is_logged_and_the_next_message_is_taken(
    hub: Hub, ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "dashboard.live"):
        ward.publish(live_topic("a", "9"), b"rubbish")
        ward.bed("9", pulses, alarm(Priority.LOW), rate=77.0)
        wait_until(lambda: any(v.bed == "9" for v in hub.state.beds("a", 0.0)))
    assert any("ward/v1/a/9/live" in line for line in caplog.messages)


def test_a_broker_that_goes_and_comes_back_is_noticed_both_times(hub: Hub, broker: Broker) -> None:
    broker.end()
    wait_until(lambda: not hub.is_connected)
    assert hub.acknowledge("a", "1", "id", "Anna") is False
    broker.start()
    wait_until(lambda: hub.is_connected)
