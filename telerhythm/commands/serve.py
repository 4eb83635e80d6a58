"""`telerhythm serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    settings: Annotated[
        Path | None, typer.Option(help="Settings file; telerhythm.toml here when not given.")
    ] = None,
) -> None:
    """Take in what devices send: order, analyse, store, raise alarms, feed the dashboards.

    Ends on Ctrl-C or SIGTERM, when all that came in is stored; then prints figures as JSON.

    Examples:

      telerhythm serve --settings telerhythm.toml

      TELERHYTHM_BROKER__HOST=broker.example telerhythm serve
    """
    from telerhythm.process import run
    from telerhythm.settings import load

    run(load(settings))
