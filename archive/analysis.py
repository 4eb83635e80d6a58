"""One record from file to findings: what a worker of a scoring run does."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.annotate import annotate, settled
from archive.find import strip_suffix
from archive.provenance import sha256
from archive.read import read_record
from archive.tables import summarize
from archive.write import write_annotations
from detectors.analyzer import Analyzer
from ecg import BEAT, EPISODE, Findings, Record, TelerhythmError

ANNOTATOR = "trh"


@dataclass(frozen=True, slots=True)
class Job:
    """One record to score.

    Attributes
    ----------
    path : Path
        The record.
    name : str
        What the run calls it: unlike all others.
    leads : tuple of str or None
        Leads to use; all that are ECG when None.
    annotations_dir : Path or None
        Where to write annotations; None: not at all.
    """

    path: Path
    name: str
    leads: tuple[str, ...] | None = None
    annotations_dir: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came out of a job; `error` says why nothing did.

    Attributes
    ----------
    summary : dict
        The record's row of `summary.csv`.
    beats, episodes : structured arrays
        Of the dtypes `BEAT` and `EPISODE`.
    hashes : dict of str to str
        SHA-256 of the record's files.
    """

    job: Job
    error: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    fs_hz: float = 1.0
    leads: tuple[str, ...] = ()
    beats: NDArray[Any] = field(default_factory=lambda: np.empty(0, BEAT))
    episodes: NDArray[Any] = field(default_factory=lambda: np.empty(0, EPISODE))
    hashes: dict[str, str] = field(default_factory=dict)


def analyze_record(record: Record) -> Findings:
    """Findings of a whole record, by the very `Analyzer` of the live path; classes and
    episodes settled."""
    analyzer = Analyzer(record.fs_hz, record.leads, record.start_ns)
    found = Findings.concat([analyzer.push(record.x_mv), analyzer.finish()]).with_classes()
    return replace(found, episodes=settled(found.episodes))


def run_job(job: Job) -> Scored:
    """Score a record; whatever goes wrong with it is told in `error`, never raised."""
    try:
        record = read_record(job.path, job.leads)
        found = analyze_record(record)
        if job.annotations_dir is not None:
            marks = annotate(found, len(record.leads), record.fs_hz)
            path = job.annotations_dir / job.name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_annotations(marks, path, ANNOTATOR, record.fs_hz)
        hashes = {file.name: sha256(file) for file in _files(job.path)}
    except TelerhythmError as error:
        return Scored(job, error=str(error))
    except Exception as error:  # one record must not end the run; the trace tells where it broke
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return Scored(job, error=f"unexpected {type(error).__name__} at {place}: {error}")
    return Scored(
        job,
        summary=summarize(found, record.fs_hz, record.leads, record.n_samples),
        fs_hz=record.fs_hz,
        leads=record.leads,
        beats=found.beats,
        episodes=found.episodes,
        hashes=hashes,
    )


def _files(path: Path) -> list[Path]:
    """The files that a record consists of: header and signal files, or the EDF file."""
    record = strip_suffix(path)
    header = record.with_name(record.name + ".hea")
    if not header.is_file():
        return [f for s in (".edf", ".EDF") if (f := record.with_name(record.name + s)).is_file()]
    files = [header]
    for line in header.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        if line.strip() and not line.startswith("#"):
            file = header.parent / line.split()[0]
            if file.is_file() and file not in files:
                files.append(file)
    return files
