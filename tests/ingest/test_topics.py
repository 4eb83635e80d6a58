"""Topics say who speaks and of what; a status says whether a device is there."""

from __future__ import annotations

import re
from contextlib import suppress

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg import BadFrame, BadInput
from ingest import wire
from ingest.wire import Status, decode_status, encode_status
from tests.ingest.values import VALUES

DEVICE = "site-a/monitor_4"


def test_topics_say_who_and_what():
    assert wire.frame_topic(DEVICE) == "ecg/v1/site-a/monitor_4/frame"
    assert wire.status_topic(DEVICE) == "ecg/v1/site-a/monitor_4/status"
    assert wire.device_alarm_topic(DEVICE) == "ecg/v1/site-a/monitor_4/alarm"
    for topic in (wire.frame_topic, wire.status_topic, wire.device_alarm_topic):
        words = wire.parse_topic(topic(DEVICE))
        assert f"{words.site}/{words.device}" == DEVICE
        assert topic(DEVICE).endswith(words.kind)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ecg/v1/a/b",
        "ecg/v1/a/b/frame/more",
        "ecg/v2/a/b/frame",
        "ecg/v1//b/frame",
        "ecg/v1/a/b/live",
        "ecg/v1/a/é/frame",
        "ecg/v1/a/b\n/frame",
        f"ecg/v1/a/{'b' * 65}/frame",
        "ward/v1/a/b/alarm",
    ],
)
def test_other_topics_are_refused(topic):
    with pytest.raises(BadInput, match="letters, digits"):
        wire.parse_topic(topic)


@pytest.mark.parametrize("device", ["a", "a/b/c", "a/+", "#", "a/", "/b", "a /b"])
def test_a_device_s_name_is_two_words(device):
    with pytest.raises(BadInput):
        wire.frame_topic(device)


@pytest.mark.parametrize(
    "status",
    [Status(True), Status(False), Status(True, "Holter 3", "2.1.0", 1_772_366_400_000_000_000)],
)
def test_a_status_survives_the_wire(status):
    payload = encode_status(status.is_online, status.model, status.firmware, status.t_ns)
    assert decode_status(payload) == status


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"online": True}, "v is missing"),
        ({"v": 1}, "online is missing"),
        ({"v": 1, "online": 1}, "online is 1: true or false"),
        ({"v": 1, "online": True, "model": 5}, "model is 5: text"),
        ({"v": 1, "online": True, "fw": "x" * 65}, "fw is"),
        ({"v": 1, "online": True, "t": -1}, "t is -1"),
    ],
)
def test_a_wrong_status_is_refused(fields, told):
    with pytest.raises(BadFrame, match=re.escape(told)):
        decode_status(cbor2.dumps(fields))


@given(st.binary(max_size=60) | VALUES.map(cbor2.dumps))
def test_no_status_does_worse_than_be_refused(payload):
    with suppress(BadFrame):
        assert isinstance(decode_status(payload), Status)
