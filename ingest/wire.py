"""The wire between devices and serve: topics, frames and states as bytes, and back.

CBOR (RFC 8949) with samples as a typed array (RFC 8746); docs/wire.md is the specification. What a
device sends is not to be trusted: whatever the bytes are, `decode_frame` gives a frame within the
limits below or raises `BadFrame`, and takes no more memory than the message has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cbor2
import numpy as np
from numpy.typing import NDArray

from ecg import BadFrame, BadInput, Frame
from ingest.cbor import (
    VERSION,
    check_version,
    integer,
    load,
    number,
    refuse,
    show,
    text,
)

TYPED_INT16_LE = 77  # RFC 8746, 2.1: sint16, little endian

MAX_LEADS = 32
"""Leads of a frame; the analysis takes no more."""
MAX_SAMPLES = 60_000
"""Samples a lead in one frame."""
MAX_LEAD_NAME = 16
"""Characters of a lead's name, printable ASCII."""
MIN_FS_HZ, MAX_FS_HZ = 100.0, 1000.0
"""Sampling rates that can be analysed; also those that IEC 60601-2-47 and monitors work at."""
MIN_LSB_UV, MAX_LSB_UV = 1e-3, 1e4
"""Microvolts a step: 16 bits of it are 65 µV in all, or 650 V."""
MAX_BOOT = 2**64 - 1
MAX_SEQ = 2**63 - 1  # the store keeps it as a signed number
MAX_T_NS = 2**62 - 1
"""Times end in the year 2116, so that what is added to one still fits 64 bits."""

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LEAD = re.compile(rf"[!-~](?:[ -~]{{0,{MAX_LEAD_NAME - 2}}}[!-~])?")
_KINDS = ("frame", "status", "alarm")

SUBSCRIPTIONS: tuple[tuple[str, int], ...] = (
    ("ecg/v1/+/+/frame", 1),
    ("ecg/v1/+/+/status", 1),
    ("ecg/v1/+/+/alarm", 1),
)
"""What serve listens to, with the quality of service."""


class Topic(NamedTuple):
    """The words of a device's topic; `kind` is frame, status or alarm."""

    site: str
    device: str
    kind: str


@dataclass(frozen=True, slots=True)
class Status:
    """What a device says of itself, or the broker of a device that is gone.

    Attributes
    ----------
    is_online : bool
    model, firmware : str
        Empty when it does not say.
    t_ns : int or None
        What its clock showed, ns UTC.
    """

    is_online: bool
    model: str = ""
    firmware: str = ""
    t_ns: int | None = None


# -- topics --------------------------------------------------------------------------------------


def frame_topic(device: str) -> str:
    """Where a device (`site/device`) publishes its frames."""
    return _topic(device, "frame")


def status_topic(device: str) -> str:
    """Where a device (`site/device`) says whether it is there, retained; its will goes there."""
    return _topic(device, "status")


def device_alarm_topic(device: str) -> str:
    """Where a device (`site/device`) publishes alarms of its own."""
    return _topic(device, "alarm")


def parse_topic(topic: str) -> Topic:
    """The words of a device's topic.

    Raises
    ------
    BadInput
        If it is not one.
    """
    words = topic.split("/")
    if len(words) == 5 and words[:2] == ["ecg", "v1"] and words[4] in _KINDS:
        site, device = words[2:4]
        if _WORD.fullmatch(site) and _WORD.fullmatch(device):
            return Topic(site, device, words[4])
    raise BadInput(
        f"topic {show(topic)} is not ecg/v1/SITE/DEVICE/frame, status or alarm, "
        "SITE and DEVICE of 1 to 64 letters, digits, _ and -"
    )


def _topic(device: str, kind: str) -> str:
    topic = f"ecg/v1/{device}/{kind}"
    parse_topic(topic)
    return topic


# -- frames --------------------------------------------------------------------------------------


def encode_frame(frame: Frame) -> bytes:
    """The message that `decode_frame` reads; it names no device, its topic does.

    Raises
    ------
    BadFrame
        If it breaks a rule of the wire, so that a server would refuse it.
    """
    n_leads = len(frame.x) if frame.x.ndim == 2 else 0
    if n_leads != len(frame.leads) or len(frame.lsb_uv) != n_leads or frame.x.dtype != np.int16:
        raise BadFrame(
            f"x is {frame.x.dtype} {frame.x.shape}, with {len(frame.leads)} leads and "
            f"{len(frame.lsb_uv)} lsb_uv: int16 [n_leads, n_samples] and one of each are needed"
        )
    fields: dict[str, Any] = {
        "v": VERSION,
        "boot": frame.boot,
        "seq": frame.seq,
        "t": frame.t_ns,
        "fs": frame.fs_hz,
        "leads": list(frame.leads),
        "lsb_uv": frame.lsb_uv.tolist(),
        "x": cbor2.CBORTag(TYPED_INT16_LE, frame.x.astype("<i2", copy=False).tobytes()),
        "off": frame.lead_off,
    }
    if frame.pace:
        fields["pace"] = list(frame.pace)
    if frame.battery_pct is not None:
        fields["batt"] = frame.battery_pct
    _frame(fields, frame.device)
    return cbor2.dumps(fields)


def decode_frame(payload: bytes, device: str) -> Frame:
    """The frame in a message of `device`; its samples are a view of the message's.

    Raises
    ------
    BadFrame
        If it is not a frame as docs/wire.md has it: says which field, what it is and what is
        allowed.
    """
    return _frame(load(payload), device)


def _frame(fields: Mapping[Any, Any], device: str) -> Frame:
    check_version(fields)
    leads = _leads(fields.get("leads"))
    x = _samples(fields.get("x"), len(leads))
    n = x.shape[1]
    pace = fields.get("pace", [])
    if type(pace) is not list or len(pace) > n or not all(type(p) is int for p in pace):
        refuse("pace", pace, "a list of sample indices")
    if pace and (min(pace) < 0 or max(pace) >= n):
        refuse("pace", pace, f"samples 0 to {n - 1} of this frame")
    battery_pct = fields.get("batt")
    if battery_pct is not None:
        battery_pct = number(fields, "batt", 0, 100)
    return Frame(
        device,
        integer(fields, "boot", MAX_BOOT),
        integer(fields, "seq", MAX_SEQ),
        integer(fields, "t", MAX_T_NS),
        number(fields, "fs", MIN_FS_HZ, MAX_FS_HZ),
        leads,
        _steps(fields.get("lsb_uv"), len(leads)),
        x,
        integer(fields, "off", (1 << len(leads)) - 1) if "off" in fields else 0,
        tuple(pace),
        battery_pct,
    )


def _leads(value: Any) -> tuple[str, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_LEADS:
        refuse("leads", value, f"a list of 1 to {MAX_LEADS} names")
    if not all(type(name) is str for name in value):
        refuse("leads", value, "a list of text")
    leads = tuple(value)
    _check_names(leads)
    return leads


@lru_cache(maxsize=256)  # a device names the same leads in every frame
def _check_names(leads: tuple[str, ...]) -> None:
    for name in leads:
        if not _LEAD.fullmatch(name):
            refuse(
                "leads",
                name,
                f"names of 1 to {MAX_LEAD_NAME} printable ASCII characters, not of blanks",
            )
    if len(set(leads)) != len(leads):
        refuse("leads", list(leads), "a different name for each lead")


def _samples(value: Any, n_leads: int) -> NDArray[np.int16]:
    if type(value) is not cbor2.CBORTag or value.tag != TYPED_INT16_LE:
        refuse("x", value, f"a typed array of int16, little endian: tag {TYPED_INT16_LE}")
    data = value.value
    if type(data) is not bytes:
        refuse("x", data, "a byte string within the tag")
    n, rest = divmod(len(data), 2 * n_leads)
    if rest:
        raise BadFrame(f"x has {len(data)} bytes: {n_leads} leads of 2 bytes a sample do not fit")
    if not 1 <= n <= MAX_SAMPLES:
        raise BadFrame(f"x has {n} samples a lead: 1 to {MAX_SAMPLES} are allowed")
    return np.frombuffer(data, "<i2").reshape(n_leads, n)


def _steps(value: Any, n_leads: int) -> NDArray[np.float32]:
    if type(value) is not list or len(value) != n_leads:
        refuse("lsb_uv", value, f"a list of {n_leads} numbers, one a lead")
    for step in value:
        # NaN fails the comparison, too
        if type(step) not in (int, float) or not MIN_LSB_UV <= step <= MAX_LSB_UV:
            refuse("lsb_uv", value, f"numbers from {MIN_LSB_UV:g} to {MAX_LSB_UV:g} µV")
    return np.array(value, np.float32)


# -- states --------------------------------------------------------------------------------------


def encode_status(
    is_online: bool, model: str = "", firmware: str = "", t_ns: int | None = None
) -> bytes:
    """The message that `decode_status` reads; offline is also what a will says."""
    fields: dict[str, Any] = {"v": VERSION, "online": is_online}
    if model:
        fields["model"] = model
    if firmware:
        fields["fw"] = firmware
    if t_ns is not None:
        fields["t"] = t_ns
    _status(fields)
    return cbor2.dumps(fields)


def decode_status(payload: bytes) -> Status:
    """What a device says of itself.

    Raises
    ------
    BadFrame
        If the message is not a status as docs/wire.md has it.
    """
    return _status(load(payload))


def _status(fields: Mapping[Any, Any]) -> Status:
    check_version(fields)
    is_online = fields.get("online")
    if type(is_online) is not bool:
        refuse("online", is_online, "true or false")
    t_ns = integer(fields, "t", MAX_T_NS) if "t" in fields else None
    return Status(is_online, text(fields, "model"), text(fields, "fw"), t_ns)
