"""`telerhythm alarms`: export."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ecg.clock import NS


class Format(StrEnum):
    """How alarms are written."""

    CSV = "csv"
    JSON = "json"


def export(
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="ISO 8601; local time without an offset.")
    ],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Not included.")],
    form: Annotated[
        Format, typer.Option("--format", help="csv: a row an alarm; json: with the sums.")
    ] = Format.CSV,
    ward: Annotated[str | None, typer.Option(help="This ward only.")] = None,
    bed: Annotated[str | None, typer.Option(help="This bed only.")] = None,
    store: Annotated[
        Path | None, typer.Option(help="The store's file; as the settings say when not given.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Write the alarms of a stretch of time, for an audit; also while `serve` runs.

    CSV goes to standard output, the sums a bed (alarms an hour, time to acknowledge, share
    suppressed) to standard error. JSON has both, and the sums an hour and the reasons.

    Examples:

      telerhythm alarms export --from 2026-03-01 --to 2026-03-08 > week.csv

      telerhythm alarms export --from 2026-03-01T07:00 --to 2026-03-01T19:00 --format json
    """
    from store.sqlite import SqliteReader
    from telerhythm import audit
    from telerhythm.settings import load

    from_ns, to_ns = _time(since, "--from"), _time(until, "--to")
    if to_ns <= from_ns:
        _wrong_use(f"--to {until} is not after --from {since}")
    path = store or load(settings).store.path
    with SqliteReader(path) as reader:
        rows = reader.transitions(from_ns, to_ns, ward=ward, bed=bed)
    alarms = audit.records(rows)
    if form is Format.JSON:
        print(json.dumps(audit.summary(alarms, from_ns, to_ns), indent=1, ensure_ascii=False))
        return
    writer = csv.DictWriter(sys.stdout, audit.COLUMNS)
    writer.writeheader()
    writer.writerows(asdict(alarm) for alarm in alarms)
    for figures in audit.by_bed(alarms, from_ns, to_ns):
        wait_s = figures.median_s_to_acknowledge
        print(
            f"{figures.ward}/{figures.bed}: {figures.raised} alarms, {figures.per_hour:g} an hour;"
            f" acknowledged {figures.acknowledged}"
            + (f", median {wait_s:.1f} s" if wait_s is not None else "")
            + f"; suppressed {figures.suppressed} ({figures.share_suppressed:.0%})",
            file=sys.stderr,
        )


def _time(value: str, option: str) -> int:
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        _wrong_use(f"{option} {value}: not a time; write 2026-03-01 or 2026-03-01T07:00+01:00")
    return round(when.timestamp() * 1000) * (NS // 1000)


def _wrong_use(what: str) -> NoReturn:
    print(f"telerhythm alarms export: {what}", file=sys.stderr)
    raise typer.Exit(2)
