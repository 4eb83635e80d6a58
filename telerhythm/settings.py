"""Settings: one `telerhythm.toml`, overridden by `TELERHYTHM_*`, validated at start.

A nested key is written with two underscores in the environment: `TELERHYTHM_BROKER__PORT=1884`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ecg.errors import BadSetting

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

DEFAULT_FILE = Path("telerhythm.toml")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(_Section):
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


class StoreSettings(_Section):
    """Where waveforms, findings and alarms are kept."""

    path: Path = Path("var/telerhythm.sqlite")


class DashboardSettings(_Section):
    """The web server of the ward page."""

    host: str = "127.0.0.1"
    port: Port = 8501


class BedSettings(_Section):
    """A bed, the patient in it and the device on the patient."""

    ward: Word
    bed: Word
    patient: Word
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$")]
    label: str = ""
    source: Literal["device", "real", "simulated"] = "device"


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
        raise BadSetting("\n".join(_explain(where, e) for e in error.errors())) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise BadSetting(f"{path}: there is no such settings file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not TOML: {error}") from error


def _explain(where: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    found = f", found {error['input']!r}" if error["type"] != "missing" else ""
    return f"{where}: {key}: {error['msg']}{found}"
