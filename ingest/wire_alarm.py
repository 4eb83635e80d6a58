"""Alarms that devices raise themselves, as bytes, and back; docs/wire.md specifies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2

from ingest.cbor import MAX_TEXT, VERSION, check_version, integer, load, refuse, text
from ingest.wire import MAX_T_NS

MAX_SENTENCE = 200
"""Characters of what a device says of an alarm."""
_PRIORITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm that a device raises, repeats or takes back.

    Attributes
    ----------
    kind : str
        What the device calls it.
    t_ns : int
        When it began, by the device's clock, ns UTC.
    is_on : bool
        False: it is over.
    priority : {"high", "medium", "low"} or None
        None when the device does not say.
    text : str
        What the device says of it; may be empty.
    """

    kind: str
    t_ns: int
    is_on: bool = True
    priority: str | None = None
    text: str = ""


def encode_alarm(alarm: RaisedAlarm) -> bytes:
    """The message that `decode_alarm` reads."""
    fields: dict[str, Any] = {"v": VERSION, "kind": alarm.kind, "t": alarm.t_ns, "on": alarm.is_on}
    if alarm.priority is not None:
        fields["prio"] = alarm.priority
    if alarm.text:
        fields["text"] = alarm.text
    _alarm(fields)
    return cbor2.dumps(fields)


def decode_alarm(payload: bytes) -> RaisedAlarm:
    """An alarm of a device.

    Raises
    ------
    BadFrame
        If the message is not an alarm as docs/wire.md has it.
    """
    return _alarm(load(payload))


def _alarm(fields: Mapping[Any, Any]) -> RaisedAlarm:
    check_version(fields)
    kind = text(fields, "kind")
    if not kind.strip() or not kind.isprintable():
        refuse("kind", fields.get("kind"), f"printable text of 1 to {MAX_TEXT} characters")
    is_on = fields.get("on", True)
    if type(is_on) is not bool:
        refuse("on", is_on, "true or false")
    priority = fields.get("prio")
    if priority is not None and priority not in _PRIORITIES:
        refuse("prio", priority, "high, medium or low")
    said = text(fields, "text", MAX_SENTENCE)
    if not said.isprintable():
        refuse("text", said, "printable text")
    return RaisedAlarm(kind, integer(fields, "t", MAX_T_NS), is_on, priority, said)
