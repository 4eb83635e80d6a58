"""The wire: what a frame says survives it; whatever is no frame is refused with a reason."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cbor2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsp.resample import MAX_HZ, MIN_HZ
from ecg import MISSING, BadFrame, Frame
from ingest import cbor, wire
from ingest.wire import Status, decode_frame, decode_status, encode_frame, encode_status
from tests.ingest.values import VALUES

DOC = Path(__file__).parents[2] / "docs" / "wire.md"
DEVICE = "site-a/monitor_4"


def make_frame(**changes) -> Frame:
    frame = Frame(
        device=DEVICE,
        boot=7,
        seq=42,
        t_ns=1_772_366_400_000_000_000,
        fs_hz=250.0,
        leads=("II", "V5"),
        lsb_uv=np.array([5.0, 2.5], np.float32),
        x=np.array([[0, 1, -1, 32767], [MISSING, 7, 8, 9]], np.int16),
    )
    return replace(frame, **changes)


def fields_of(frame: Frame) -> dict:
    return cbor2.loads(encode_frame(frame))


def same(a: Frame, b: Frame) -> bool:
    names = ("device", "boot", "seq", "t_ns", "fs_hz", "leads", "lead_off", "pace", "battery_pct")
    return (
        all(getattr(a, name) == getattr(b, name) for name in names)
        and np.array_equal(a.lsb_uv, b.lsb_uv)
        and np.array_equal(a.x, b.x)
        and (b.x.dtype, b.lsb_uv.dtype) == (np.int16, np.float32)
    )


PRINTABLE = [chr(c) for c in range(0x21, 0x7F)]


@st.composite
def frames(draw) -> Frame:
    n_leads, n = draw(st.sampled_from((1, 2, 3, wire.MAX_LEADS))), draw(st.integers(1, 9))
    name = st.text(PRINTABLE, min_size=1, max_size=wire.MAX_LEAD_NAME)
    first = draw(st.lists(name, min_size=1, max_size=min(n_leads, 4), unique=True))
    leads = (*first, *(f"!lead{i}" for i in range(n_leads)))[:n_leads]
    x = draw(st.binary(min_size=2 * n_leads * n, max_size=2 * n_leads * n))
    step = st.floats(2**-9, 8192, width=32)
    return Frame(
        device=DEVICE,
        boot=draw(st.integers(0, wire.MAX_BOOT)),
        seq=draw(st.integers(0, wire.MAX_SEQ)),
        t_ns=draw(st.integers(0, wire.MAX_T_NS)),
        fs_hz=draw(st.floats(wire.MIN_FS_HZ, wire.MAX_FS_HZ)),
        leads=leads,
        lsb_uv=np.full(n_leads, draw(step), np.float32),
        x=np.frombuffer(x, np.int16).reshape(n_leads, n),
        lead_off=draw(st.integers(0, 2**n_leads - 1)),
        pace=tuple(draw(st.lists(st.integers(0, n - 1), max_size=n))),
        battery_pct=draw(st.none() | st.floats(0, 100)),
    )


# -- what survives -------------------------------------------------------------------------------


@given(frames())
def test_a_frame_survives_the_wire(frame):
    assert same(frame, decode_frame(encode_frame(frame), DEVICE))


def test_samples_are_a_view_of_the_message_s_bytes():
    x = decode_frame(encode_frame(make_frame()), DEVICE).x
    data = x.base.base if isinstance(x.base, np.ndarray) else x.base
    assert isinstance(data, bytes)
    assert not x.flags.writeable


def test_fields_of_tomorrow_are_passed_over():
    fields = {**fields_of(make_frame()), "spo2": 98, "more": {"a": [1]}}
    assert same(make_frame(), decode_frame(cbor2.dumps(fields), DEVICE))


def test_what_is_optional_may_be_left_out():
    fields = fields_of(make_frame())
    del fields["off"]
    assert "pace" not in fields and "batt" not in fields
    assert same(make_frame(), decode_frame(cbor2.dumps(fields), DEVICE))


def test_whole_numbers_will_do_where_a_number_is_asked_for():
    fields = {**fields_of(make_frame()), "fs": 250, "lsb_uv": [5, 2.5], "batt": 80}
    frame = decode_frame(cbor2.dumps(fields), DEVICE)
    assert same(make_frame(battery_pct=80.0), frame)
    assert type(frame.fs_hz) is float and type(frame.battery_pct) is float


def test_the_largest_frame_that_is_allowed_fits_a_message():
    shape = (wire.MAX_LEADS, wire.MAX_SAMPLES)
    frame = make_frame(
        leads=tuple(f"lead number {i:04}" for i in range(shape[0])),
        lsb_uv=np.full(shape[0], 5, np.float32),
        x=np.zeros(shape, np.int16),
    )
    payload = encode_frame(frame)
    assert len(payload) <= cbor.MAX_PAYLOAD
    assert decode_frame(payload, DEVICE).x.shape == shape


def test_rates_that_pass_are_those_that_can_be_analysed():
    assert (wire.MIN_FS_HZ, wire.MAX_FS_HZ) == (MIN_HZ, MAX_HZ)


# -- what is refused -----------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


def typed(data: bytes, tag: int = 77) -> cbor2.CBORTag:
    return cbor2.CBORTag(tag, data)


REFUSED = [
    ("v", None, "v is missing"),
    ("v", 2, "v is 2: 1, the version that this server reads, is needed"),
    ("v", True, "the version that this server reads"),
    ("v", "1", "the version that this server reads"),
    ("boot", None, "boot is missing"),
    ("boot", -1, "boot is -1: an integer from 0"),
    ("boot", 2**64, "boot is an integer of 65 bits"),
    ("boot", 1.0, "boot is 1.0: an integer"),
    ("boot", True, "boot is True: an integer"),
    ("seq", -1, "seq is -1"),
    ("seq", 2**63, "seq is"),
    ("seq", 2**20000, "seq is an integer of 20001 bits"),
    ("seq", "1", "seq is '1'"),
    ("t", -1, "t is -1"),
    ("t", 2**62, "t is"),
    ("t", 1.5e18, "t is 1.5e+18: an integer"),
    ("fs", None, "fs is missing"),
    ("fs", 99.9, "fs is 99.9: a number from 100 to 1000"),
    ("fs", 1000.1, "fs is 1000.1"),
    ("fs", NAN, "fs is nan"),
    ("fs", INF, "fs is inf"),
    ("fs", 10**400, "fs is an integer of"),
    ("fs", "250", "fs is '250'"),
    ("fs", True, "fs is True"),
    ("leads", None, "leads is missing"),
    ("leads", [], "1 to 32 names"),
    ("leads", [f"L{i}" for i in range(33)], "1 to 32 names"),
    ("leads", "II", "leads is 'II': a list"),
    ("leads", ["II", 5], "a list of text"),
    ("leads", ["II", "II"], "a different name for each lead"),
    ("leads", ["II", ""], "leads is '': names of 1 to 16"),
    ("leads", ["II", "x" * 17], "names of 1 to 16"),
    ("leads", ["II", " "], "not of blanks"),
    ("leads", ["II", "V\n"], "printable"),
    ("leads", ["II", "V\u0660"], "printable ASCII"),
    ("lsb_uv", None, "lsb_uv is missing"),
    ("lsb_uv", [5.0], "2 numbers, one a lead"),
    ("lsb_uv", 5.0, "2 numbers, one a lead"),
    ("lsb_uv", [5.0, NAN], "numbers from 0.001 to 10000"),
    ("lsb_uv", [5.0, 0], "numbers from 0.001"),
    ("lsb_uv", [5.0, -5.0], "numbers from 0.001"),
    ("lsb_uv", [5.0, INF], "numbers from 0.001"),
    ("lsb_uv", [5.0, 10**400], "numbers from 0.001"),
    ("lsb_uv", [5.0, True], "numbers from 0.001"),
    ("lsb_uv", [5.0, "5"], "numbers from 0.001"),
    ("x", None, "x is missing"),
    ("x", b"\0" * 16, "x is 16 bytes: a typed array of int16, little endian: tag 77"),
    ("x", [0] * 8, "tag 77"),
    ("x", typed(b"\0" * 16, 73), "tag 77"),  # int16, but big endian
    ("x", cbor2.CBORTag(77, [0] * 8), "a byte string"),
    ("x", typed(b""), "x has 0 samples a lead: 1 to 60000"),
    ("x", typed(b"\0" * 15), "x has 15 bytes: 2 leads"),
    ("x", typed(b"\0" * 18), "x has 18 bytes: 2 leads"),
    ("x", typed(b"\0" * 4 * 60001), "x has 60001 samples"),
    ("off", -1, "off is -1: an integer from 0 to 3"),
    ("off", 4, "off is 4: an integer from 0 to 3"),
    ("off", [True, False], "off is [True, False]"),
    ("pace", 1, "pace is 1"),
    ("pace", [4], "samples 0 to 3"),
    ("pace", [-1], "samples 0 to 3"),
    ("pace", [1.0], "a list of sample indices"),
    ("pace", [2**5000], "samples 0 to 3"),
    ("pace", [0] * 5, "a list of sample indices"),
    ("batt", -0.1, "batt is -0.1: a number from 0 to 100"),
    ("batt", 101, "batt is 101"),
    ("batt", NAN, "batt is nan"),
    ("batt", "full", "batt is 'full'"),
]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    REFUSED,
    ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(REFUSED)],
)
def test_a_wrong_field_is_refused_with_its_name_its_value_and_what_is_allowed(name, value, told):
    fields = fields_of(make_frame())
    if value is None:
        del fields[name]
    else:
        fields[name] = value
    with pytest.raises(BadFrame, match=re.escape(told)) as refusal:
        decode_frame(cbor2.dumps(fields), DEVICE)
    assert len(str(refusal.value)) < 250
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"", "0 bytes is not CBOR"),
        (b"\xff", "not CBOR"),
        (encode_frame(make_frame())[:-1], "not CBOR"),
        (encode_frame(make_frame()) + b"\0", "1 bytes follow the end"),
        (b"\x83\x01\x02\x03", "message is [1, 2, 3]: a CBOR map"),
        (b"\x81" * 100_000, "not CBOR"),
        (b"\xbb" + b"\xff" * 8, "not CBOR"),
        (b"\x5b\x7f" + b"\xff" * 7, "not CBOR"),
        (b"\xa2\x61v\x01\x61v\x01", "not CBOR"),  # v twice
        (b"\xa1\x61v\xd8\x1c\x81\xd8\x1d\x00", "not CBOR"),  # a list that contains itself
        (b"\xa1\x61v\xc5\x82\x1a\x7f\xff\xff\xff\x01", "not CBOR"),  # 2 ** 2147483647
        (bytes(cbor.MAX_PAYLOAD + 1), "4194305 bytes: at most 4194304"),
    ],
    ids=range(12),
)
def test_what_is_no_frame_at_all_is_refused(payload, told):
    with pytest.raises(BadFrame, match=re.escape(told)):
        decode_frame(payload, DEVICE)


def decodes_or_refuses(payload: bytes) -> None:
    """The one promise: a frame that could be sent again, or BadFrame."""
    try:
        frame = decode_frame(payload, DEVICE)
    except BadFrame as refusal:
        assert str(refusal)
        return
    assert same(frame, decode_frame(encode_frame(frame), DEVICE))
    assert np.isfinite(replace(frame, lead_off=0).x_mv()[frame.x != MISSING]).all()
    assert frame.end_ns > frame.t_ns


@given(st.binary(max_size=200))
@example(b"\xa1\x61v\x01")
def test_random_bytes_never_do_worse_than_be_refused(payload):
    decodes_or_refuses(payload)


@given(st.data())
def test_a_frame_with_damaged_bytes_never_does_worse_than_be_refused(data):
    payload = bytearray(encode_frame(make_frame(pace=(1,), battery_pct=50.0)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(payload) - 1))
        how = data.draw(st.sampled_from(("change", "insert", "remove", "cut")))
        if how == "change":
            payload[at] = data.draw(st.integers(0, 255))
        elif how == "insert":
            payload[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        elif how == "remove" and len(payload) > 1:
            del payload[at]
        elif at:
            del payload[at:]
    decodes_or_refuses(bytes(payload))


NAMES = ("v", "boot", "seq", "t", "fs", "leads", "lsb_uv", "x", "off", "pace", "batt")


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
def test_fields_of_any_type_never_do_worse_than_be_refused(changes):
    decodes_or_refuses(cbor2.dumps({**fields_of(make_frame()), **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"fs_hz": 50.0},
        {"seq": -1},
        {"t_ns": -1},
        {"leads": ("II", "II")},
        {"leads": ("II",)},
        {"lsb_uv": np.array([5.0], np.float32)},
        {"lsb_uv": np.array([5.0, np.nan], np.float32)},
        {"x": np.zeros((2, 0), np.int16)},
        {"x": np.zeros((2, 4), np.int32)},
        {"x": np.zeros(8, np.int16)},
        {"lead_off": 4},
        {"pace": (4,)},
        {"battery_pct": 101.0},
    ],
)
def test_what_would_be_refused_is_not_sent(changes):
    with pytest.raises(BadFrame):
        encode_frame(make_frame(**changes))


# -- the specification ---------------------------------------------------------------------------


def doc_hex(heading: str) -> bytes:
    """The bytes of the first hex block after a heading of docs/wire.md; comments are left out."""
    text = DOC.read_text().split(heading, 1)[1]
    block = re.search(r"```hex\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return bytes.fromhex("".join(line.split("#")[0] for line in block[1].splitlines()))


EXAMPLE = make_frame(
    device="ward-3/monitor-7",
    boot=1772366399000,
    seq=0,
    fs_hz=250.0,
    leads=("II", "V5"),
    lsb_uv=np.array([5.0, 5.0], np.float32),
    x=np.array([[12, -7, 240], [MISSING, 3, 180]], np.int16),
    lead_off=0,
    pace=(2,),
    battery_pct=87.5,
)


def test_the_frame_of_the_specification_is_read_as_described():
    assert same(EXAMPLE, decode_frame(doc_hex("### A frame, byte by byte"), EXAMPLE.device))


def test_we_send_the_frame_of_the_specification_byte_by_byte():
    assert encode_frame(EXAMPLE) == doc_hex("### A frame, byte by byte")


def test_the_status_of_the_specification_is_the_one_we_send_and_read():
    payload = doc_hex("### A will, byte by byte")
    assert payload == encode_status(False)
    assert decode_status(payload) == Status(False)


def test_the_limits_of_the_specification_are_those_of_the_code():
    text = DOC.read_text()
    for value in (
        cbor.MAX_PAYLOAD,
        wire.MAX_LEADS,
        wire.MAX_SAMPLES,
        wire.MAX_LEAD_NAME,
        cbor.MAX_TEXT,
    ):
        assert f"{value:,}" in text
    assert f"{wire.MIN_FS_HZ:g} to {wire.MAX_FS_HZ:,.0f} Hz" in text
    assert f"{wire.MIN_LSB_UV:g} to {wire.MAX_LSB_UV:,.0f} µV" in text
