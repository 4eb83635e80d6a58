"""CBOR (RFC 8949) of devices, which are not to be trusted: fields checked one by one."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NoReturn

import cbor2

from ecg import BadFrame

VERSION = 1
MAX_PAYLOAD = 4 << 20
"""Bytes of a message: 32 leads, 60 s at 1,000 Hz, and room for the rest."""
MAX_TEXT = 64
"""Characters of a device's model and firmware, and of the name of an alarm."""
_MAX_DEPTH = 4  # a frame has two levels


def check_version(fields: Mapping[Any, Any]) -> None:
    """Refuse a message of another version."""
    version = fields.get("v")
    if type(version) is not int or version != VERSION:
        refuse("v", version, f"{VERSION}, the version that this server reads,")


def integer(fields: Mapping[Any, Any], name: str, most: int) -> int:
    """A field that is an integer from 0 to `most`, or `BadFrame`."""
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= most:
        refuse(name, value, f"an integer from 0 to {most}")
    return value


def number(fields: Mapping[Any, Any], name: str, least: float, most: float) -> float:
    """A field that is a number from `least` to `most`, or `BadFrame`."""
    value: Any = fields.get(name)
    if type(value) not in (int, float) or not least <= value <= most:  # NaN fails, too
        refuse(name, value, f"a number from {least:g} to {most:g}")
    return float(value)


def text(fields: Mapping[Any, Any], name: str, most: int = MAX_TEXT) -> str:
    """A field that is text of at most `most` characters, empty when it is not there."""
    value = fields.get(name, "")
    if type(value) is not str or len(value) > most:
        refuse(name, value, f"text of at most {most} characters")
    return value


def _no_tag(decoder: Any) -> NoReturn:
    raise ValueError("this tag has no place in a message of a device")


# What cbor2 would otherwise turn into dates, fractions, regular expressions, shared and cyclic
# values: nothing of a frame, and not all of it cheap.
_TAGS = (0, 1, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004)
_NO_TAGS = dict.fromkeys((*_TAGS, 43000, 55799), _no_tag)


def load(payload: bytes) -> dict[Any, Any]:
    """The map in a message, or `BadFrame`."""
    if len(payload) > MAX_PAYLOAD:
        raise BadFrame(f"message of {len(payload)} bytes: at most {MAX_PAYLOAD} are allowed")
    stream = io.BytesIO(payload)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=_MAX_DEPTH,
            semantic_decoders=_NO_TAGS,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
    except Exception as error:  # the library's own, and whatever odd bytes make Python raise
        raise BadFrame(f"message of {len(payload)} bytes is not CBOR: {error}") from error
    if type(value) is not dict:
        raise BadFrame(f"message is {show(value)}: a CBOR map is needed")
    if stream.tell() != len(payload):
        raise BadFrame(f"{len(payload) - stream.tell()} bytes follow the end of the message")
    return value


def refuse(name: str, value: Any, allowed: str) -> NoReturn:
    """Say what is wrong with a field, and what would be right."""
    what = "missing" if value is None else show(value)
    raise BadFrame(f"{name} is {what}: {allowed} is needed")


def show(value: Any) -> str:
    """A value as a message can carry it: short, and printable whatever it is."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if type(value) is int and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = ascii(value)
    except Exception:  # a number within with more digits than Python prints
        return f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
