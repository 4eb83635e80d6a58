"""Score an archive: records in; annotations, tables and the run's own description out."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from archive.analysis import ANNOTATOR, Job, Scored, run_job
from archive.find import find_records
from archive.provenance import sha256, versions
from archive.tables import TableWriter, beat_columns, episode_columns, write_summary
from ecg import BEAT, EPISODE, BadSetting

FORMATS = ("csv", "parquet", "wfdb")
DEFAULT_FORMATS = ("parquet", "wfdb")


@dataclass(frozen=True, slots=True)
class Run:
    """How a scoring run went.

    Attributes
    ----------
    out : Path
        Where its files are.
    records, failed : int
    seconds : float
        Wall-clock time.
    errors : dict of str to str
        By record.
    """

    out: Path
    records: int
    failed: int
    seconds: float
    errors: dict[str, str]


def score(
    paths: Iterable[str | Path],
    out: str | Path,
    leads: Sequence[str] | None = None,
    workers: int | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
    on_record: Callable[[Scored, int, int], None] | None = None,
) -> Run:
    """Analyse records and write what was found.

    Parameters
    ----------
    paths : iterable of str or Path
        Records, globs, directories or RECORDS files: see `archive.find.find_records`.
    out : str or Path
        Folder for the results, made when it does not exist: `summary.csv` (a row a record, with
        its error when it failed), `run.json`, and by format `RECORD.trh`, `beats` and `episodes`.
    leads : sequence of str, optional
        Leads to use, by name or position; without it all ECG leads.
    workers : int, optional
        Processes; without it one a processor. What is written does not depend on it.
    formats : sequence of str
        `wfdb` (annotation files), `parquet` and `csv` (tables of beats and episodes).
    on_record : callable, optional
        Called with each result, how many are done and how many there are, in order.

    Returns
    -------
    Run
        A record that fails never stops the others.

    Raises
    ------
    BadRecord
        If a path means no record.
    BadSetting
        If a format is not known, or workers are fewer than 1.
    """
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise BadSetting(f"format {', '.join(sorted(unknown))}: allowed are {', '.join(FORMATS)}")
    if workers is not None and workers < 1:
        raise BadSetting(f"workers is {workers}; give 1 or more")
    out, began = Path(out), datetime.now(UTC)
    clock = time.perf_counter()
    records = find_records(paths)
    out.mkdir(parents=True, exist_ok=True)
    jobs = [
        Job(path, name, tuple(leads) if leads else None, out if "wfdb" in formats else None)
        for path, name in zip(records, unique_names(records), strict=True)
    ]
    rows: list[dict[str, Any]] = []
    inputs: dict[str, Any] = {}
    errors: dict[str, str] = {}
    with ExitStack() as stack:
        tables = [stack.enter_context(table) for table in _tables(out, formats)]
        for scored in _in_order(jobs, min(workers or os.cpu_count() or 1, len(jobs))):
            job = scored.job
            rows.append(
                {"record": job.name, "path": job.path, "error": scored.error, **scored.summary}
            )
            if scored.error:
                errors[job.name] = scored.error
            else:
                inputs[job.name] = {"path": str(job.path), "sha256": scored.hashes}
            for table in tables:
                table.write(scored)
            if on_record is not None:
                on_record(scored, len(rows), len(jobs))
    write_summary(rows, out / "summary.csv")
    seconds = time.perf_counter() - clock
    description = {
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "records": len(jobs),
        "failed": len(errors),
        "settings": {"leads": list(leads) if leads else None, "formats": sorted(formats)},
        "versions": versions(),
        "inputs": inputs,
        "outputs": _hashes(out, jobs, errors, formats),
        "errors": errors,
    }
    (out / "run.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    return Run(out, len(jobs), len(errors), seconds, errors)


def unique_names(records: Sequence[Path]) -> list[str]:
    """A name for each record: its own, or with as many folders before it as tell all apart.

    >>> unique_names([Path("a/100"), Path("a/101")])
    ['100', '101']
    >>> unique_names([Path("a/100"), Path("b/100"), Path("b/101")])
    ['a/100', 'b/100', 'b/101']
    """
    parts = [record.resolve().parts[1:] for record in records]
    deepest = max((len(p) for p in parts), default=1)
    for depth in range(1, deepest):
        names = ["/".join(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return ["/".join(p) for p in parts]


# ---------------------------------------------------------------- tables


class _Table:
    """Rows of one kind, in one format, of all records."""

    def __init__(self, file: Path, columns: Callable[[Scored], dict[str, Any]]) -> None:
        empty = Scored(Job(Path(), ""), beats=np.empty(0, BEAT), episodes=np.empty(0, EPISODE))
        self._columns = columns
        self._writer = TableWriter(file, columns(empty))

    def write(self, scored: Scored) -> None:
        columns = self._columns(scored)
        if len(columns["record"]):
            self._writer.add(columns)

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, *error: Any) -> None:
        self._writer.__exit__(*error)


def _tables(out: Path, formats: Sequence[str]) -> Iterator[_Table]:
    for suffix in ("csv", "parquet"):
        if suffix in formats:
            yield _Table(
                out / f"beats.{suffix}",
                lambda s: beat_columns(s.job.name, s.beats, s.fs_hz, s.leads),
            )
            yield _Table(
                out / f"episodes.{suffix}",
                lambda s: episode_columns(s.job.name, s.episodes, s.fs_hz),
            )


# ---------------------------------------------------------------- workers


def _in_order(jobs: Sequence[Job], workers: int) -> Iterator[Scored]:
    """Results in the order of the jobs."""
    if workers == 1:
        yield from map(run_job, jobs)
        return
    done = 0
    while done < len(jobs):
        # a process that dies (out of memory, killed) takes its pool with it: the record that was
        # next gets a process of its own, to see whether it was the one, the others a new pool
        with _pool(workers) as pool:
            pending = [pool.submit(run_job, job) for job in jobs[done:]]
            try:
                for future in pending:
                    yield future.result()
                    done += 1
            except BrokenProcessPool:
                pass
            finally:
                for future in pending:
                    future.cancel()
        if done < len(jobs):
            yield _alone(jobs[done])
            done += 1


def _alone(job: Job) -> Scored:
    with _pool(1) as pool:
        future: Future[Scored] = pool.submit(run_job, job)
        try:
            return future.result()
        except BrokenProcessPool:
            return Scored(job, error="its process died: out of memory, or killed")


def _pool(workers: int) -> ProcessPoolExecutor:
    # not forked: this process may have threads (progress, Arrow), whose locks a fork would copy
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _hashes(
    out: Path, jobs: Sequence[Job], errors: dict[str, str], formats: Sequence[str]
) -> dict[str, str]:
    names = ["summary.csv"]
    for suffix in ("csv", "parquet"):
        if suffix in formats:
            names += [f"beats.{suffix}", f"episodes.{suffix}"]
    if "wfdb" in formats:
        names += [f"{job.name}.{ANNOTATOR}" for job in jobs if job.name not in errors]
    return {name: sha256(out / name) for name in names}
