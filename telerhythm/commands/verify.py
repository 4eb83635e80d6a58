"""`telerhythm verify-alarms`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ecg.errors import BadInput


def verify_alarms(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Records laid out as the Challenge 2015 has them."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    ecg_only: Annotated[bool, typer.Option("--ecg-only", help="Leave pulse signals out.")] = False,
) -> None:
    """Are a monitor's arrhythmia alarms true? A row a record: verdict and reason.

    A record holds the minutes before an alarm at 5:00, of which the header's comment names the
    kind; nothing after 5:00 is looked at. Verdicts are true, false or undecided: an alarm that is
    undecided must not be held back. The exit status is 1 when a record could not be verified; its
    row says why.

    Examples:

      telerhythm verify-alarms challenge-2015/training

      telerhythm verify-alarms challenge-2015/training --json > verdicts.json
    """
    from telerhythm.verify import verify_folder

    rows = []
    try:
        for row in verify_folder(folder, with_pulse=not ecg_only):
            rows.append(row)
            if not as_json:
                print(f"{row.record:<10} {row.alarm:<24} {row.verdict:<10} {row.reason}")
            if row.error:
                print(f"telerhythm verify-alarms: {row.record}: {row.reason}", file=sys.stderr)
    except BadInput as error:
        print(f"telerhythm verify-alarms: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps([row.as_json() for row in rows], indent=1))
    if any(row.error for row in rows):
        raise typer.Exit(1)
