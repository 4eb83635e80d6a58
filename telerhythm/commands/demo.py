"""`telerhythm demo`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from ecg.errors import TelerhythmError


def demo(
    for_s: Annotated[
        float | None,
        typer.Option("--for", metavar="SECONDS", min=1, help="End by itself; print figures."),
    ] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(help="Real records to replay: files, folders. May be given several times."),
    ] = None,
    beds: Annotated[int, typer.Option(min=1, max=32, help="How many beds.")] = 8,
    port: Annotated[int, typer.Option(min=1024, max=65000, help="Dashboard port, if free.")] = 8501,
) -> None:
    """Watch a ward: a broker, eight devices, the analysis and the dashboard on this machine.

    Ctrl-C ends everything. Examples:

      telerhythm demo

      telerhythm demo --for 60

      telerhythm demo --records data/mitdb
    """
    from telerhythm.beds import choose
    from telerhythm.demo import Demo

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt_once)
    try:
        with Demo(choose(records or [], beds), dashboard_port=port) as running:
            print(f"telerhythm demo: {running.address}", file=sys.stderr)
            print(f"Store and logs, until it ends: {running.folder}", file=sys.stderr)
            print("Ctrl-C ends it.", file=sys.stderr)
            try:
                running.watch(for_s)
            except KeyboardInterrupt:
                print("ending …", file=sys.stderr)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except TelerhythmError as error:
        print(f"telerhythm demo: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    summary = running.summary
    if for_s is not None and summary is not None:
        print(summary.text())
    if summary is None or summary.frames_lost:
        raise typer.Exit(1)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """Begin to end; ending takes seconds at most, and a second Ctrl-C must not cut it short."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
