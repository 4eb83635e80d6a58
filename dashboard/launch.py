"""How the dashboard is started, and what it is told: light to import, for those who start it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecg.errors import BadSetting

PAGE = Path(__file__).with_name("app.py")

BROKER_HOST = "TELERHYTHM_BROKER_HOST"
BROKER_PORT = "TELERHYTHM_BROKER_PORT"
STORE_PATH = "TELERHYTHM_STORE_PATH"

# Streamlit's settings; a file would be found or not, depending on the folder it is started in.
_OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.enableAgentApi": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # to the log, not to the ward
    "theme.base": "dark",
    "theme.backgroundColor": "#0b0e12",
    "theme.secondaryBackgroundColor": "#161b22",
    "theme.textColor": "#e6edf3",
    "theme.primaryColor": "#58a6ff",
}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the dashboard hears of the ward."""

    host: str
    port: int


def command(port: int, host: str = "127.0.0.1") -> list[str]:
    """The command line that serves the ward page at `http://host:port`.

    It runs until SIGTERM or SIGINT and needs the variables of `environment`.
    """
    options = _OPTIONS | {"server.address": host, "server.port": str(port)}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *arguments]


def environment(broker_host: str, broker_port: int, store_path: str | Path) -> dict[str, str]:
    """The variables that tell the dashboard where broker and store are."""
    return {
        BROKER_HOST: broker_host,
        BROKER_PORT: str(broker_port),
        STORE_PATH: str(store_path),
    }


def store_path(variables: Mapping[str, str] = os.environ) -> Path | None:
    """Where the environment says that the store is."""
    path = variables.get(STORE_PATH)
    return Path(path) if path else None


def broker(variables: Mapping[str, str] = os.environ) -> Broker:
    """The broker that the environment names; localhost:1883 when it names none.

    Raises
    ------
    BadSetting
        If the port is no port.
    """
    port = variables.get(BROKER_PORT, "1883")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting(f"{BROKER_PORT}={port!r}: give a port number from 1 to 65535")
    return Broker(variables.get(BROKER_HOST, "127.0.0.1"), int(port))
