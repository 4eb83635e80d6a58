"""Where the records to learn from are."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows `--data`; `records` then gives its folder."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("TELERHYTHM_DATA"))
    return parser


def records(parser: argparse.ArgumentParser, options: argparse.Namespace, *databases: str) -> Path:
    """The folder of the databases; ends the program, and says what to do, where one is missing."""
    missing = [
        name for name in databases if not options.data or not (Path(options.data) / name).is_dir()
    ]
    if missing:
        parser.error(
            f"no records of {', '.join(missing)}: set TELERHYTHM_DATA, or --data, to a folder with "
            f"{', '.join(databases)}"
        )
    return Path(options.data)
