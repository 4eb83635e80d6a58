"""`telerhythm evaluate`."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecg.errors import BadRecord

if TYPE_CHECKING:
    from rich.table import Table

    from archive.episodes import EpisodeTable
    from archive.folders import Comparison
    from archive.runs import RunTable

EPISODE_COLUMNS = {
    "episode_se": "episode Se",
    "episode_ppv": "episode +P",
    "duration_se": "duration Se",
    "duration_ppv": "duration +P",
    "reference_s": "reference, s",
    "test_s": "test, s",
}
COLUMNS = {
    "q_se": "Q Se",
    "q_ppv": "Q +P",
    "v_se": "V Se",
    "v_ppv": "V +P",
    "s_se": "S Se",
    "s_ppv": "S +P",
    "rr_rms_ms": "RR err",
    "delay_sd_ms": "SD",
    "delay_sd_n_ms": "SD N",
    "delay_p95_n_ms": "95% N",
    "shutdown_s": "shutdown",
}
RUN_COLUMNS = {
    "couplet_se": "couplets Se",
    "couplet_ppv": "+P",
    "short_run_se": "3-5 beats Se",
    "short_run_ppv": "+P",
    "long_run_se": "6 and more Se",
    "long_run_ppv": "+P",
}


def evaluate(
    reference_dir: Annotated[
        Path, typer.Argument(metavar="REF_DIR", help="Reference annotations, and headers.")
    ],
    test_dir: Annotated[
        Path, typer.Argument(metavar="TEST_DIR", help="Annotations to judge, as score writes them.")
    ],
    annotator: Annotated[str, typer.Option(help="Suffix of the files to judge.")] = "trh",
    reference: Annotated[str, typer.Option(help="Suffix of the reference files.")] = "atr",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare annotations beat by beat as ANSI/AAMI EC57 prescribes.

    Sensitivity (Se) and positive predictivity (+P) in percent, of all beats (Q), ventricular (V)
    and supraventricular ones (S); RR err, SD (of beat times; of N beats only) and 95% (of N
    beats lie within) in ms; shutdown in s. Where there are any, runs of V and S beats (couplets, 3
    to 5 beats, 6 and more), and episodes and durations of atrial fibrillation (AF) and of
    ventricular fibrillation or flutter (VF), in percent and s. The first five minutes are left out.

    Examples:

      telerhythm evaluate data/mitdb results

      telerhythm evaluate data/mitdb results --annotator gqrs --json
    """
    from archive.folders import compare_folders

    try:
        done = compare_folders(reference_dir, test_dir, annotator, reference)
    except BadRecord as error:
        print(f"telerhythm evaluate: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps(_document(done), indent=1))
    elif done.tables:
        _print(done)
    for name, reason in done.errors.items():
        print(f"telerhythm evaluate: {name}: {reason}", file=sys.stderr)
    if done.errors:
        raise typer.Exit(1)


def _document(done: Comparison) -> dict[str, Any]:
    from archive.evaluate import CLASSES, LEARNING_S, MATCH_S, average, total

    known, episodes = _known, done.episodes
    tables = done.tables
    gross = total(tables.values())
    return {
        "classes": CLASSES,
        "learning_s": LEARNING_S,
        "match_s": MATCH_S,
        "records": {
            name: {
                "counts": table.counts.tolist(),
                "line": table.line(),
                **known(table.figures()),
                "episodes": _episodes(episodes[name]),
                "runs": _runs(done.runs[name]),
            }
            for name, table in tables.items()
        },
        "gross": {"counts": gross.counts.tolist(), "line": gross.line(), **known(gross.figures())},
        "average": known(average(tables.values())),
        "episodes": _episodes(_all_episodes(done)),
        "runs": _runs(_all_runs(done)),
        "errors": done.errors,
    }


def _known(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(x) else round(x, 4) for name, x in figures.items()}


def _episodes(tables: dict[str, EpisodeTable]) -> dict[str, Any]:
    """Counts and figures by kind of episode, for a program."""
    return {
        kind: {
            "found": table.found,
            "missed": table.missed,
            "right": table.right,
            "wrong": table.wrong,
            **_known(table.figures()),
        }
        for kind, table in tables.items()
    }


def _all_episodes(done: Comparison) -> dict[str, EpisodeTable]:
    from archive.episodes import KINDS, total_episodes

    rows = done.episodes.values()
    return {kind: total_episodes(row[kind] for row in rows) for kind in KINDS}


def _episode_table(done: Comparison) -> Table | None:
    """Records with episodes, a row a kind, and all together; None when nowhere is one."""
    from rich.table import Table

    table = Table("record", "episodes of", *EPISODE_COLUMNS.values(), box=None, header_style="bold")
    for column in table.columns[2:]:
        column.justify = "right"
    for name, kinds in [*done.episodes.items(), ("gross", _all_episodes(done))]:
        for kind, row in kinds.items():
            if row.reference_s or row.test_s:
                cells = (row.figures()[column] for column in EPISODE_COLUMNS)
                table.add_row(name, kind.upper(), *map(_cell, cells))
    return table if table.row_count else None


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _runs(tables: dict[str, RunTable]) -> dict[str, Any]:
    """Tallies and figures of runs, by class of their beats."""
    return {
        of: {
            "sensitivity": table.sensitivity.tolist(),
            "predictivity": table.predictivity.tolist(),
            "line": table.line(),
            **{k: None if math.isnan(x) else round(x, 4) for k, x in table.figures().items()},
        }
        for of, table in tables.items()
    }


def _all_runs(done: Comparison) -> dict[str, RunTable]:
    from archive.runs import total_runs

    return {of: total_runs(row[of] for row in done.runs.values()) for of in "VS"}


def _run_table(done: Comparison) -> Table:
    """Runs of all records together, a row a class of beats."""
    from rich.table import Table

    table = Table("runs of", *RUN_COLUMNS.values(), box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for of, row in _all_runs(done).items():
        figures = row.figures()
        cells = (figures[column] for column in RUN_COLUMNS)
        table.add_row(of, *("-" if math.isnan(cell) else f"{cell:.2f}" for cell in cells))
    return table


def _print(done: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table

    from archive.evaluate import average, total

    tables = done.tables
    gross = total(tables.values())
    table = Table("record", "beats", *COLUMNS.values(), box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in tables.items():
        _add(table, name, str(row.n_beats), row.figures())
    table.add_section()
    _add(table, "gross", str(gross.n_beats), gross.figures())
    _add(table, "average", "", average(tables.values()))
    # a pipe has no width: nothing is cut off there
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)

    console.print()
    console.print(_run_table(done))
    if (episodes := _episode_table(done)) is not None:
        console.print()
        console.print(episodes)


def _add(table: Table, name: str, beats: str, figures: dict[str, float]) -> None:
    cells = (figures.get(column, math.nan) for column in COLUMNS)
    table.add_row(name, beats, *map(_cell, cells))
