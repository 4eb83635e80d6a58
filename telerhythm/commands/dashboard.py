"""`telerhythm dashboard`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def dashboard(
    settings: Annotated[
        Path | None, typer.Option(help="Settings file; telerhythm.toml here when not given.")
    ] = None,
) -> None:
    """Show the ward page in a browser.

    Example:

      telerhythm dashboard --settings telerhythm.toml
    """
    import dashboard as room
    from telerhythm.settings import load

    wanted = load(settings)
    command = room.command(wanted.dashboard.port, host=wanted.dashboard.host)
    broker = wanted.broker
    environment = room.environment(broker.host, broker.port, wanted.store.path)
    os.execvpe(command[0], command, {**os.environ, **environment})
