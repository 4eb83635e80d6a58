"""The tables of a scoring run: summary, beats, episodes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.codes import EpisodeKind, QualityCode
from ecg.findings import Findings

# pyarrow is imported where it is used: it takes 0.2 s

SUMMARY = (
    "record",
    "path",
    "error",
    "fs_hz",
    "leads",
    "duration_s",
    "beats",
    "beats_n",
    "beats_s",
    "beats_v",
    "beats_f",
    "beats_q",
    "hr_median_bpm",
    "hr_min_bpm",
    "hr_max_bpm",
    "usable_share",
    "episodes",
)
"""Columns of `summary.csv`. Heart rates are of the seconds in which one is known;
`usable_share` is the share of seconds in which at least one lead is usable."""

Columns = dict[str, Any]


def summarize(findings: Findings, fs_hz: float, leads: tuple[str, ...], n_samples: int) -> Columns:
    """The row of one record, without its name; empty text where a number is not known."""
    classes = findings.beats["aami"]
    hr_bpm = findings.vitals["hr_bpm"]
    hr_bpm = hr_bpm[np.isfinite(hr_bpm)]
    quality = findings.quality
    usable = np.unique(quality["sample"][quality["code"] == QualityCode.USABLE]).size
    seconds = np.unique(quality["sample"]).size
    return {
        "fs_hz": f"{fs_hz:g}",
        "leads": " ".join(leads),
        "duration_s": f"{n_samples / fs_hz:.3f}",
        "beats": classes.size,
        **{f"beats_{c.lower()}": int(np.sum(classes == ord(c))) for c in "NSVFQ"},
        "hr_median_bpm": f"{np.median(hr_bpm):.1f}" if hr_bpm.size else "",
        "hr_min_bpm": f"{hr_bpm.min():.1f}" if hr_bpm.size else "",
        "hr_max_bpm": f"{hr_bpm.max():.1f}" if hr_bpm.size else "",
        "usable_share": f"{usable / seconds:.4f}" if seconds else "",
        "episodes": findings.episodes.size,
    }


def write_summary(rows: Iterable[Mapping[str, Any]], file: Path) -> None:
    """`summary.csv`: one row a record, in their order."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, SUMMARY, restval="")
        writer.writeheader()
        writer.writerows(rows)


def beat_columns(record: str, beats: NDArray[Any], fs_hz: float, leads: tuple[str, ...]) -> Columns:
    """Beats of a record as columns: one row a beat."""
    import pyarrow as pa

    names = [*leads, None]  # -1, several together, is the last
    return {
        "record": pa.array([record] * beats.size, pa.string()).dictionary_encode(),
        "sample": pa.array(beats["sample"]),
        "time_s": pa.array(beats["sample"] / fs_hz),
        "t_ns": pa.array(beats["t_ns"]),
        "code": _letters(beats["code"]),
        "aami": _letters(beats["aami"]),
        "rr_s": pa.array(beats["rr_s"], from_pandas=True),
        "qrs_ms": pa.array(beats["qrs_ms"], from_pandas=True),
        "confidence": pa.array(beats["confidence"]),
        "lead": pa.array([names[i] for i in beats["lead"]], pa.string()).dictionary_encode(),
        "flags": pa.array(beats["flags"]),
    }


def episode_columns(record: str, episodes: NDArray[Any], fs_hz: float) -> Columns:
    """Episodes of a record as columns: one row an episode, `end` empty when it did not end."""
    import pyarrow as pa

    kinds = [EpisodeKind(kind) for kind in episodes["kind"]]
    is_open = episodes["end"] < 0
    return {
        "record": pa.array([record] * episodes.size, pa.string()).dictionary_encode(),
        "kind": pa.array([kind.name.lower() for kind in kinds], pa.string()).dictionary_encode(),
        "wfdb": pa.array([kind.wfdb for kind in kinds], pa.string()).dictionary_encode(),
        "onset": pa.array(episodes["onset"]),
        "end": pa.array(episodes["end"], mask=is_open),
        "onset_s": pa.array(episodes["onset"] / fs_hz),
        "end_s": pa.array(episodes["end"] / fs_hz, mask=is_open),
        "onset_ns": pa.array(episodes["onset_ns"]),
        "end_ns": pa.array(episodes["end_ns"], mask=is_open),
        "confidence": pa.array(episodes["confidence"]),
        "evidence": pa.FixedSizeListArray.from_arrays(
            pa.array(np.ravel(episodes["evidence"])), episodes.dtype["evidence"].shape[0]
        ),
    }


class TableWriter:
    """One table of all records, written record by record so that memory stays small.

    Parameters
    ----------
    file : Path
        `.parquet` or `.csv`.
    empty : dict
        Columns without rows: they give the schema, also when no record follows.
    """

    def __init__(self, file: Path, empty: Columns) -> None:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet

        table = pa.table(empty)
        if file.suffix == ".csv":
            # CSV has neither dictionaries nor lists
            self._prepare: Callable[[Any], Any] = _flat
            self._out = pyarrow.csv.CSVWriter(str(file), _flat(table).schema)
        else:
            self._prepare = lambda plain: plain
            self._out = pyarrow.parquet.ParquetWriter(str(file), table.schema)

    def add(self, columns: Columns) -> None:
        """Append rows."""
        import pyarrow as pa

        self._out.write_table(self._prepare(pa.table(columns)))

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._out.close()


def _flat(table: Any) -> Any:
    import pyarrow as pa

    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            columns[name] = column.cast(pa.string())
        elif pa.types.is_fixed_size_list(column.type):
            rows = column.to_pylist()
            for i in range(column.type.list_size):
                columns[f"{name}_{i}"] = pa.array([row[i] for row in rows], pa.float32())
        else:
            columns[name] = column
    return pa.table(columns)


def _letters(codes: NDArray[np.uint8]) -> Any:
    """Character codes as a dictionary column of one-letter strings."""
    import pyarrow as pa

    letters = np.ascontiguousarray(codes).view("S1").astype(str)
    return pa.array(letters, pa.string()).dictionary_encode()
