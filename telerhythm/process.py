"""`telerhythm serve` as a process: its log, its store, its signals, its report."""

from __future__ import annotations

import signal
import sys

import structlog

import detectors
from ecg import BadSetting
from store.sqlite import SqliteStore
from telerhythm.serve import Server
from telerhythm.settings import Settings


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then print a report, one line of JSON."""
    _configure_log()
    detectors.warm()
    folder = settings.store.path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"store.path: the folder {folder} cannot be made: {error}") from error
    with SqliteStore(settings.store.path) as store:
        server = Server(settings, store)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: server.stop())
        server.run()
        print(server.figures.report(server.complaints.counts), flush=True)


def _configure_log() -> None:
    """One event a line on standard error; tracebacks without the values of variables."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
