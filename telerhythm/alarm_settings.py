"""Settings of alarms: limits by ward, bed and age; who is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from alerts.outbox import Receiver
from alerts.rules import Age, Limits, for_age
from alerts.words import ALWAYS_ON, AlarmKind, Off, Priority
from ecg.errors import BadSetting

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
PriorityName = Literal["high", "medium", "low", "info"]
SETTINGS = "settings"
"""Who switched off what the settings switch off."""


class Section(BaseModel):
    """A table of the settings: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AlarmDefaults(Section):
    """`[alarms.ward.NAME]`: what holds for the beds of a ward."""

    age: Age = "adult"
    limits: dict[str, float] = Field(default_factory=dict)
    off: tuple[AlarmKind, ...] = ()

    @field_validator("off")
    @classmethod
    def _can_be_off(cls, off: tuple[AlarmKind, ...]) -> tuple[AlarmKind, ...]:
        return check_off(off)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for_age(self.age).changed(**self.limits)
        return self


class SmtpSettings(Section):
    """`[alarms.smtp]`: the mail server."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    sender: str = "telerhythm@localhost"
    starttls: bool = False
    username: str | None = None
    password_file: Path | None = None


class ReceiverSettings(Section):
    """`[[alarms.receivers]]`: somebody who is told, by webhook or by mail."""

    name: Word
    webhook: Annotated[str, Field(pattern=r"^https?://")] | None = None
    secret_file: Path | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    wards: tuple[Word, ...] = ()
    priority: PriorityName = "medium"
    hours: Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")] | None = None
    escalated_only: bool = False

    @field_validator("hours")
    @classmethod
    def _is_a_time(cls, hours: str | None) -> str | None:
        if hours is not None:
            parse_hours(hours)
        return hours

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.webhook is None) is (self.email is None):
            raise ValueError("name either a webhook or an email")
        if self.webhook is not None and self.secret_file is None:
            raise ValueError("a webhook needs secret_file: its messages are signed")
        return self

    def receiver(self) -> Receiver:
        """As the outbox takes it."""
        return Receiver(
            self.name,
            self.wards,
            Priority[self.priority.upper()],
            None if self.hours is None else parse_hours(self.hours),
            self.escalated_only,
        )


class AlarmSettings(Section):
    """`[alarms]`."""

    ward: dict[Word, AlarmDefaults] = Field(default_factory=dict)
    smtp: SmtpSettings = SmtpSettings()
    receivers: tuple[ReceiverSettings, ...] = ()

    @field_validator("receivers")
    @classmethod
    def _have_names_of_their_own(
        cls, receivers: tuple[ReceiverSettings, ...]
    ) -> tuple[ReceiverSettings, ...]:
        names = [receiver.name for receiver in receivers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"receiver {name} is there twice: give each a name of its own")
        return receivers

    def limits(self, ward: str, age: Age | None, own: dict[str, float]) -> Limits:
        """Limits of a bed: of its patient's age, then of its ward, then its own.

        Those of a ward are meant for its usual patients: they do not apply to another age.

        Raises
        ------
        BadSetting
            If they contradict each other, or there is no such limit.
        """
        defaults = self.ward.get(ward, AlarmDefaults())
        limits = for_age(age or defaults.age)
        if age is None or age == defaults.age:
            limits = limits.changed(**defaults.limits)
        return limits.changed(**own)

    def off(self, ward: str, own: tuple[AlarmKind, ...]) -> tuple[Off, ...]:
        """What is switched off at a bed to begin with."""
        kinds = dict.fromkeys((*self.ward.get(ward, AlarmDefaults()).off, *own))
        return tuple(Off(kind, 0, SETTINGS) for kind in kinds)


def check_off(off: tuple[AlarmKind, ...]) -> tuple[AlarmKind, ...]:
    """The kinds, if each may be switched off; ValueError names one that may not."""
    for kind in off:
        if kind in ALWAYS_ON:
            raise ValueError(f"{kind.value} cannot be switched off")
    return off


def parse_hours(hours: str) -> tuple[int, int]:
    """`19:00-07:00` as minutes of the day; ValueError when it is none."""
    numbers = [int(n) for n in re.findall(r"\d\d", hours)]
    for hour, minute in (numbers[:2], numbers[2:]):
        if hour * 60 + minute > 24 * 60 or minute > 59:
            raise ValueError(f"{hours} is not a time of the day: 00:00 to 24:00")
    return numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]


def read_secret(path: Path, key: str) -> str:
    """What a file of secrets holds; BadSetting names the key when it cannot be read."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{key}: {path} cannot be read: {error}") from error
    if not secret:
        raise BadSetting(f"{key}: {path} is empty")
    return secret
