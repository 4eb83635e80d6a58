"""`telerhythm store`: check, backup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The store's file.")],
) -> None:
    """Look through the whole store for damage; also while `serve` writes to it.

    Prints the rows of each table. Exit status 1 when something is wrong.

    Example:

      telerhythm store check var/telerhythm.sqlite
    """
    from store import upkeep
    from store.sqlite import SqliteReader

    found = upkeep.check(path)
    if found:
        for line in found:
            print(line, file=sys.stderr)
        print(f"{path}: damaged; bring back a backup", file=sys.stderr)
        raise typer.Exit(1)
    with SqliteReader(path) as reader:
        for table, rows in reader.counts().items():
            print(f"{table:12} {rows:>14,}")
    print(f"{path}: sound")


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The store's file.")],
    to: Annotated[Path, typer.Argument(metavar="TO", help="The copy; must not be there yet.")],
) -> None:
    """Copy the store as it is at one moment; also while `serve` writes to it.

    Example:

      telerhythm store backup var/telerhythm.sqlite /backup/telerhythm-monday.sqlite
    """
    from store import upkeep

    size = upkeep.backup(path, to)
    print(f"{to}: {size / 1e6:.1f} MB, checked")
