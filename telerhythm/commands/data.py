"""`telerhythm data`: list, get."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from ecg.errors import BadInput, TelerhythmError

CATALOGUE = Path(__file__).parents[2] / "data" / "catalogue.toml"


def list_databases(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole catalogue as one JSON object.")
    ] = False,
) -> None:
    """Tell the public databases that `telerhythm data get` can download.

    Examples:

      telerhythm data list

      telerhythm data list --json
    """
    from dataclasses import asdict

    from archive.catalogue import read_catalogue

    databases = read_catalogue(CATALOGUE)
    if as_json:
        print(
            json.dumps({name: asdict(database) for name, database in databases.items()}, indent=1)
        )
        return
    width = max(len(name) for name in databases)
    for name, database in databases.items():
        size = f"{database.size_mb:,.0f} MB" if database.size_mb >= 1 else "< 1 MB"
        print(f"{name:{width}}  {database.records:6,} records  {size:>9}  {database.title}")
        print(f"{'':{width}}  {database.about}")
        print(f"{'':{width}}  {database.licence}; {database.page}")


def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `data list` tells it.")],
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; data/NAME when not given.")
    ] = None,
    records: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Only these records; all.")
    ] = None,
) -> None:
    """Download a public database from PhysioNet.

    Each file is checked against the database's list of SHA-256 sums. Files that are there already
    are kept, a file that broke off goes on where it ended: run the command again. A file that
    fails does not stop the others; the exit status is 1 then.

    Examples:

      telerhythm data get mitdb

      telerhythm data get mitdb --records 100,208 --to /tmp/mitdb
    """
    from archive.catalogue import read_catalogue
    from archive.download import download
    from archive.transfer import Fetcher

    try:
        catalogue = read_catalogue(CATALOGUE)
        if name not in catalogue:
            raise typer.BadParameter(f"no database {name!r}: there are {', '.join(catalogue)}")
        database = catalogue[name]
        chosen = [word.strip() for word in records.split(",") if word.strip()] if records else None
        print(f"{database.title}: {database.licence}", file=sys.stderr)
        with _Progress() as progress:
            done = download(
                database,
                to or Path("data") / name,
                chosen,
                fetcher=Fetcher(on_bytes=progress.on_bytes),
                on_file=progress.on_file,
            )
    except BadInput as error:
        print(f"telerhythm data get: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    except TelerhythmError as error:
        print(f"telerhythm data get: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    for reason in done.errors.values():
        print(f"telerhythm data get: {reason}", file=sys.stderr)
    if done.not_tried:
        print(f"telerhythm data get: {done.not_tried} files were not tried", file=sys.stderr)
    print(
        f"{done.folder}: {done.fetched} files fetched, {done.kept} there already, "
        f"{len(done.errors) + done.not_tried} missing"
    )
    if not done.is_complete:
        raise typer.Exit(1)


class _Progress:
    """A bar on stderr: files, megabytes, speed, time left; nothing when that is a file."""

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
            TextColumn("downloading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[megabytes]:.1f} MB {task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None, megabytes=0.0, rate="")
        self._lock = threading.Lock()
        self._bytes = 0

    def on_bytes(self, n_bytes: int) -> None:
        with self._lock:
            self._bytes += n_bytes
        elapsed_s = self._bar.tasks[0].elapsed or 0.0
        rate = f"{self._bytes / 1e6 / elapsed_s:.1f} MB/s" if elapsed_s else ""
        self._bar.update(self._task, megabytes=self._bytes / 1e6, rate=rate)

    def on_file(self, path: str, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, description=path)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
