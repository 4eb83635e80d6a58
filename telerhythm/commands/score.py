"""`telerhythm score`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecg.errors import BadInput

if TYPE_CHECKING:
    from archive.analysis import Scored


def score(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH…", help="Records, globs, folders or RECORDS files."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    leads: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Leads to use, by name or position; all ECG leads."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one a processor when not given.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="csv,parquet,wfdb", help="What to write.")
    ] = "parquet,wfdb",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print how it went as one JSON object.")
    ] = False,
) -> None:
    """Analyse an archive: annotations and tables out.

    Into the folder go summary.csv (a row a record, with its error when it failed), run.json
    (versions, settings, hashes) and by format RECORD.trh (WFDB annotations), beats and episodes.
    A record that fails never stops the others; the exit status is 1 then.

    Examples:

      telerhythm score data/mitdb --out results

      telerhythm score night.edf 'ward/*.hea' --out results --leads II,V5 --format csv,wfdb
    """
    from archive.score import score as run

    try:
        done = run(
            paths,
            out,
            leads=_words(leads) if leads else None,
            workers=workers,
            formats=_words(formats),
            on_record=_Progress(),
        )
    except BadInput as error:
        print(f"telerhythm score: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    for name, reason in done.errors.items():
        print(f"telerhythm score: {name}: {reason}", file=sys.stderr)
    if as_json:
        figures = {
            "out": str(done.out),
            "records": done.records,
            "failed": done.failed,
            "seconds": round(done.seconds, 3),
            "errors": done.errors,
        }
        print(json.dumps(figures, indent=1))
    else:
        well = done.records - done.failed
        print(f"{well} of {done.records} records in {done.seconds:.1f} s: {done.out}")
    if done.failed:
        raise typer.Exit(1)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


class _Progress:
    """A bar on stderr: records done, records a second, time left; nothing when that is a file."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None, rate="")

    def __call__(self, scored: Scored, done: int, total: int) -> None:
        if done == 1:
            self._bar.start()
        speed = self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            completed=done,
            total=total,
            description=scored.job.name,
            rate=f"{speed:.1f} records/s" if speed else "",
        )
        if done == total:
            self._bar.stop()
