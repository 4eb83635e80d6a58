"""Live chunks: what a browser gets."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecg import LiveChunk, decode_live, encode_live


def chunk(x, **changes):
    fields = {
        "ward": "icu",
        "bed": "3",
        "epoch": 7,
        "sample": 1000,
        "t_ns": 1_772_366_400_123_456_789,
        "fs_hz": 250.0,
        "leads": tuple(f"V{i + 1}" for i in range(len(x))),
        "lsb_uv": (2.5,) * len(x),
        "x": x,
        "beats": ((990, "N"), (1003, "V")),
        "quality": (0,) * len(x),
        "hr_bpm": 61.5,
        "pvc_per_min": 3.0,
        "rhythms": ("(AFIB", "(B"),
    }
    return LiveChunk(**{**fields, **changes})


@given(hnp.arrays(np.int16, st.tuples(st.integers(1, 6), st.integers(0, 300))))
def test_what_is_encoded_is_decoded(x):
    sent = chunk(x)
    got = decode_live(encode_live(sent))
    assert np.array_equal(got.x, x) and got.x.shape == x.shape
    for name in ("ward", "bed", "epoch", "sample", "t_ns", "fs_hz", "leads", "lsb_uv", "beats"):
        assert getattr(got, name) == getattr(sent, name)
    assert (got.quality, got.hr_bpm) == (sent.quality, sent.hr_bpm)
    assert (got.rhythms, got.pvc_per_min) == (sent.rhythms, sent.pvc_per_min)


@given(bed=st.text("abc123", min_size=1, max_size=9))
def test_samples_are_aligned_so_that_a_browser_need_not_copy(bed):
    payload = encode_live(chunk(np.zeros((1, 3), np.int16), bed=bed))
    (size,) = struct.unpack_from("<I", payload)
    assert (4 + size) % 4 == 0
    assert json.loads(payload[4 : 4 + size])["bed"] == bed


def test_nanoseconds_travel_as_text_because_a_browser_would_round_them():
    payload = encode_live(chunk(np.zeros((1, 1), np.int16)))
    (size,) = struct.unpack_from("<I", payload)
    assert json.loads(payload[4 : 4 + size])["t_ns"] == "1772366400123456789"


def test_an_unknown_heart_rate_is_null():
    x = np.zeros((1, 1), np.int16)
    assert decode_live(encode_live(chunk(x, hr_bpm=math.nan))).hr_bpm is None


@pytest.mark.parametrize("rhythms", [None, (), ("(N",)])
def test_no_rhythm_told_is_not_the_same_as_none_of_those_known(rhythms):
    x = np.zeros((1, 1), np.int16)
    assert decode_live(encode_live(chunk(x, rhythms=rhythms))).rhythms == rhythms


@pytest.mark.parametrize("payload", [b"", b"\1\0", b"\2\0\0\0{}", b"\xff\xff\xff\xff{}"])
def test_a_message_cut_short_is_an_error(payload):
    with pytest.raises((ValueError, KeyError)):
        decode_live(payload)


def test_samples_that_leads_cannot_share_are_an_error():
    payload = encode_live(chunk(np.zeros((2, 3), np.int16)))
    with pytest.raises(ValueError, match="cannot be shared"):
        decode_live(payload[:-2])
