"""The topics of a ward: `ward/v1/{ward}/{bed}/{alarm, command, live}`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ecg.errors import BadInput

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")

WardTopicKind = Literal["alarm", "command", "live"]


class WardTopic(NamedTuple):
    """A topic in its parts."""

    ward: str
    bed: str
    kind: WardTopicKind


def check_word(word: object, what: str) -> str:
    """The word itself, if a topic may carry it.

    Raises
    ------
    BadInput
        If it is not of 1 to 64 letters, digits, `_` and `-`: anything else could reach into
        another topic (`/`, `+`, `#`) or is not portable.
    """
    if not isinstance(word, str) or not _WORD.fullmatch(word):
        raise BadInput(f"{what} {word!r}: use 1 to 64 of A-Z a-z 0-9 _ -")
    return word


def alarm_topic(ward: str, bed: str) -> str:
    """Alarm state of the bed: retained, QoS 1. `+` stands for all."""
    return _topic(ward, bed, "alarm")


def command_topic(ward: str, bed: str) -> str:
    """Commands of people to the bed: QoS 1. `+` stands for all."""
    return _topic(ward, bed, "command")


def live_topic(ward: str, bed: str) -> str:
    """Signal for screens: QoS 0. `+` stands for all."""
    return _topic(ward, bed, "live")


def parse_ward_topic(topic: str) -> WardTopic:
    """The parts of a topic.

    Raises
    ------
    BadInput
        If it is not the topic of a bed.
    """
    match topic.split("/"):
        case ["ward", "v1", ward, bed, ("alarm" | "command" | "live") as kind]:
            return WardTopic(check_word(ward, "ward"), check_word(bed, "bed"), kind)
    raise BadInput(f"topic {topic!r}: expected ward/v1/WARD/BED/ and alarm, command or live")


def _topic(ward: str, bed: str, kind: WardTopicKind) -> str:
    for word, what in ((ward, "ward"), (bed, "bed")):
        if word != "+":
            check_word(word, what)
    return f"ward/v1/{ward}/{bed}/{kind}"
