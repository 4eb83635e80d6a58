"""Settings: one `telerhythm.toml`, overridden by `TELERHYTHM_*`, validated at start.

A nested key is written with two underscores in the environment: `TELERHYTHM_BROKER__PORT=1884`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from alerts.rules import Age, Limits
from alerts.words import AlarmKind, Off
from ecg.errors import BadSetting
from telerhythm.alarm_settings import AlarmSettings, Section, Word, check_off

Port = Annotated[int, Field(ge=1, le=65535)]

DEFAULT_FILE = Path("telerhythm.toml")


class BrokerSettings(Section):
    """The MQTT broker that devices and dashboards meet at."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None

    def password(self) -> str | None:
        """The secret in `password_file`; never part of a setting itself, so never logged.

        Raises
        ------
        BadSetting
            If the file cannot be read.
        """
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(
                f"broker.password_file: {self.password_file} cannot be read: {error}"
            ) from error


class StoreSettings(Section):
    """Where waveforms, findings and alarms are kept."""

    path: Path = Path("var/telerhythm.sqlite")


class DashboardSettings(Section):
    """The web server of the ward page."""

    host: str = "127.0.0.1"
    port: Port = 8501


class BedSettings(Section):
    """A bed, the patient in it and the device on the patient."""

    ward: Word
    bed: Word
    patient: Word
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$")]
    label: str = ""
    source: Literal["device", "real", "simulated"] = "device"
    age: Age | None = None  # None: as the ward's patients
    limits: dict[str, float] = Field(default_factory=dict)
    off: tuple[AlarmKind, ...] = ()

    @field_validator("off")
    @classmethod
    def _can_be_off(cls, off: tuple[AlarmKind, ...]) -> tuple[AlarmKind, ...]:
        return check_off(off)


class Settings(BaseSettings):
    """All that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="TELERHYTHM_",
        env_nested_delimiter="__",
        # TELERHYTHM_DATA (test records) and the dashboard's own variables share the prefix
        extra="forbid",
        frozen=True,
    )

    client_id: Word = "telerhythm-serve"
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    dashboard: DashboardSettings = DashboardSettings()
    beds: tuple[BedSettings, ...] = ()
    alarms: AlarmSettings = AlarmSettings()

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        for i, bed in enumerate(self.beds):
            try:
                self.limits_of(bed)
            except BadSetting as error:
                raise ValueError(f"beds.{i}.limits: {error}") from error
        return self

    def limits_of(self, bed: BedSettings) -> Limits:
        """The limits of a bed to begin with."""
        return self.alarms.limits(bed.ward, bed.age, bed.limits)

    def off_at(self, bed: BedSettings) -> tuple[Off, ...]:
        """The kinds of alarms that are switched off at a bed to begin with."""
        return self.alarms.off(bed.ward, bed.off)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as keyword arguments."""
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Settings from a file and the environment.

    Parameters
    ----------
    path : Path or None
        The file. None means `telerhythm.toml` here when there is one, else the defaults.

    Raises
    ------
    BadSetting
        If the file is missing or is not TOML, or a value is wrong: names file, key and what is
        allowed.
    """
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    values = _read(path) if path else {}
    try:
        return Settings(**values)
    except ValidationError as error:
        where = str(path) if path else "the environment"
        text = path.read_text() if path else ""
        raise BadSetting("\n".join(_explain(where, text, e) for e in error.errors())) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise BadSetting(f"{path}: there is no such settings file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not TOML: {error}") from error


def _explain(where: str, text: str, error: Any) -> str:
    message = error["msg"].removeprefix("Value error, ")
    line = _line(text, error)
    place = f"{where}, line {line}" if line else where
    if not error["loc"]:  # of the settings as a whole: the message names the key
        return f"{place}: {message}"
    key = ".".join(str(part) for part in error["loc"])
    is_short = error["type"] != "missing" and not isinstance(error["input"], dict)
    found = f", found {error['input']!r}" if is_short else ""
    return f"{place}: {key}: {message}{found}"


def _line(text: str, error: Any) -> int | None:
    """The line of a file that an error is about, when only one can be meant."""
    named = re.findall(r"(\w+) = ([\d.]+)", error["msg"])  # limits, with their values
    named += [(name, "") for name in re.findall(r"no limit '(\w+)'", error["msg"])]
    keys = [part for part in error["loc"] if isinstance(part, str)]
    if keys and not named:
        value = error["input"]
        named = [(keys[-1], value if isinstance(value, str) else ""), (keys[-1], "")]
    lines = list(enumerate(text.splitlines(), 1))
    for name, value in named:
        pattern = rf"\b{re.escape(name)}\b\s*=.*{re.escape(value)}"
        for part in (_table(lines, error["loc"]), lines):
            found = [n for n, line in part if re.search(pattern, line)]
            if len(found) == 1:
                return found[0]
    return None


def _table(lines: list[tuple[int, str]], loc: Sequence[str | int]) -> list[tuple[int, str]]:
    """The numbered lines of the table that a key lies in, `("beds", 1, "off")` in the second."""
    best: tuple[int, list[tuple[int, str]]] = (0, [])
    counts: dict[str, int] = {}
    body: list[tuple[int, str]] = []
    for n, line in lines:
        header = re.match(r"\s*(\[{1,2})\s*([\w.-]+)\s*\]", line)
        if header is None:
            body.append((n, line))
            continue
        brackets, name = header.groups()
        path: list[str | int] = list(name.split("."))
        if brackets == "[[":
            counts[name] = counts.get(name, -1) + 1
            path.append(counts[name])
        body = []
        if len(path) > best[0] and list(loc[: len(path)]) == path:
            best = len(path), body
    return best[1]
