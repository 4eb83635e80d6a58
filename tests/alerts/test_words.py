"""Documents and commands: what goes out comes back, and what is wrong is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery import document, message
from alerts.engine import FrameSeen, Tick
from alerts.words import (
    LETHAL,
    Acknowledge,
    Alarm,
    AlarmKind,
    BedAlarms,
    Evidence,
    Phase,
    Priority,
    Reset,
    alarm_topic,
    command_topic,
    decode_command,
    decode_state,
    encode_command,
    encode_state,
    live_topic,
    parse_ward_topic,
)
from ecg.codes import QualityCode
from ecg.errors import BadInput

words = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
times = st.integers(0, 2**63 - 1)
alarms = st.builds(
    Alarm,
    id=texts,
    kind=st.sampled_from(AlarmKind),
    priority=st.sampled_from(Priority),
    phase=st.sampled_from([Phase.RAISED, Phase.ACKNOWLEDGED, Phase.LATCHED]),
    since_ns=times,
    text=texts,
    about=texts,
    acknowledged_by=st.none() | texts,
)
documents = st.builds(
    BedAlarms,
    ward=words,
    bed=words,
    t_ns=times,
    label=texts,
    source=st.sampled_from(["real", "simulated", "device"]),
    device=texts,
    connected=st.booleans(),
    leads=st.lists(texts, max_size=3).map(tuple),
    alarms=st.lists(alarms, max_size=3).map(tuple),
)
names = texts.map(str.strip).filter(bool)


@given(documents)
def test_a_document_survives_the_wire(state):
    assert decode_state(encode_state(state)) == state


@given(st.sampled_from([Acknowledge, Reset]), names, names, times)
def test_a_command_survives_the_wire(make, alarm_id, by, t_ns):
    command = make(alarm_id, by, t_ns)
    assert decode_command(encode_command(command)) == command


@given(st.lists(times, max_size=3).map(tuple), st.none() | st.floats(0, 300))
def test_evidence_survives_the_store(beats_ns, hr_bpm):
    evidence = Evidence(1, 2**62, "rule", beats_ns, (0, 5), hr_bpm)
    assert Evidence.from_json(evidence.to_json()) == evidence


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_not_crashed_on(payload):
    for decode in (decode_state, decode_command):
        with pytest.raises(BadInput):
            decode(payload)


COMMAND = {"v": 1, "command": "acknowledge", "alarm_id": "asystole.1.1", "by": "me", "t_ns": "5"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": 2},
        {"command": "silence_everything"},
        {"command": ["acknowledge"]},
        {"alarm_id": ""},
        {"alarm_id": 7},
        {"by": "  "},
        {"by": None},
        {"by": "x" * 65},
        {"t_ns": "soon"},
    ],
)
def test_a_command_that_is_not_one_is_refused(wrong):
    decode_command(json.dumps(COMMAND).encode())
    with pytest.raises(BadInput, match="command"):
        decode_command(json.dumps(COMMAND | wrong).encode())


def test_deep_nesting_is_refused():
    with pytest.raises(BadInput):
        decode_command(b"[" * 200_000)


def test_topics():
    assert alarm_topic("icu", "bed-1") == "ward/v1/icu/bed-1/alarm"
    assert command_topic("+", "+") == "ward/v1/+/+/command"
    for kind, topic in (("alarm", alarm_topic), ("command", command_topic), ("live", live_topic)):
        assert parse_ward_topic(topic("icu", "bed_2")) == ("icu", "bed_2", kind)


@pytest.mark.parametrize("word", ["", "a/b", "a b", "#", "x" * 65, "é", "a\n"])
def test_words_that_could_reach_into_other_topics_are_refused(word):
    with pytest.raises(BadInput):
        alarm_topic(word, "bed")
    with pytest.raises(BadInput):
        parse_ward_topic(f"ward/v1/icu/{word}/alarm")


@pytest.mark.parametrize("topic", ["ward/v2/a/b/alarm", "ward/v1/a/b", "ward/v1/a/b/frame", ""])
def test_other_topics_are_refused(topic):
    with pytest.raises(BadInput):
        parse_ward_topic(topic)


def test_lethal_alarms_latch_and_technical_ones_do_not():
    for kind in AlarmKind:
        assert kind.is_latching is (kind in LETHAL)
        assert not (kind.is_technical and kind.is_latching)


def test_the_document_of_a_bed(bed, findings):
    assert not document(bed.state, 7).connected
    bed.take(Tick(), findings.ns(0))
    bed.take(FrameSeen(findings.ns(0)), findings.ns(0))
    bed.take(findings.analysed(0, 6, [], [QualityCode.FLAT, QualityCode.FLAT]), findings.ns(6))
    told = document(bed.state, findings.ns(6))
    assert told.connected
    assert told.leads == ("I", "II")
    assert [alarm.kind for alarm in told.alarms] == [AlarmKind.ASYSTOLE]
    assert message(document(bed.state, findings.ns(6))) == (
        "ward/v1/ward/bed/alarm",
        encode_state(told),
    )
    bed.take(Tick(), findings.ns(6))
    assert not document(bed.state, findings.ns(6)).connected


def test_numbers_that_a_browser_cannot_hold_travel_as_text(bed, findings):
    bed.take(findings.analysed(0, 6, [], [QualityCode.FLAT]))
    fields = json.loads(message(document(bed.state, findings.ns(6)))[1])
    assert fields["t_ns"] == str(findings.ns(6))
    assert fields["alarms"][0]["since_ns"] == str(findings.ns(4))
    assert fields["alarms"][0]["technical"] is False
