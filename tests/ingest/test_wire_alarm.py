"""Alarms of devices on the wire: what goes out comes back, and what is wrong is refused."""

import re
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg import BadFrame
from ingest.wire import MAX_T_NS, SUBSCRIPTIONS, device_alarm_topic
from ingest.wire_alarm import RaisedAlarm, decode_alarm, encode_alarm

printable = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=64)
alarms = st.builds(
    RaisedAlarm,
    kind=printable,
    t_ns=st.integers(0, MAX_T_NS),
    is_on=st.booleans(),
    priority=st.sampled_from([None, "high", "medium", "low"]),
    text=st.just("") | printable,
)
GOOD = {"v": 1, "kind": "asystole", "t": 1_772_366_400_000_000_000, "on": True}


@given(alarms)
def test_an_alarm_survives_the_wire(alarm):
    assert decode_alarm(encode_alarm(alarm)) == alarm


@given(st.binary(max_size=60))
def test_any_bytes_are_an_alarm_or_refused(payload):
    try:
        decode_alarm(payload)
    except BadFrame:
        return


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"v": 2}, "v is 2"),
        ({"kind": ""}, "kind is ''"),
        ({"kind": 7}, "kind is 7"),
        ({"kind": "x" * 65}, "kind is"),
        ({"kind": "a\nb"}, "kind is"),
        ({"t": -1}, "t is -1"),
        ({"on": 1}, "on is 1"),
        ({"prio": "urgent"}, "prio is 'urgent'"),
        ({"prio": ["high"]}, "prio is"),
        ({"text": "x" * 201}, "text is"),
        ({"text": "\x1b[2J"}, "text is"),
    ],
)
def test_what_is_wrong_is_named(wrong, told):
    decode_alarm(cbor2.dumps(GOOD))
    with pytest.raises(BadFrame, match=re.escape(told)):
        decode_alarm(cbor2.dumps(GOOD | wrong))


def test_the_example_of_the_specification():
    text = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
    block = re.search(
        r"```hex\n(.*?)```", text[text.index("### An alarm, byte by byte") :], re.DOTALL
    )
    payload = bytes.fromhex("".join(line.split("#")[0] for line in block[1].splitlines()))
    alarm = RaisedAlarm("asystole", GOOD["t"])
    assert decode_alarm(payload) == alarm
    assert encode_alarm(alarm) == payload


def test_serve_listens_to_them():
    topic = device_alarm_topic("site/monitor").split("/")
    patterns = [pattern.split("/") for pattern, qos in SUBSCRIPTIONS if qos == 1]
    assert any(
        all(p in ("+", word) for p, word in zip(pattern, topic, strict=True))
        for pattern in patterns
    )
