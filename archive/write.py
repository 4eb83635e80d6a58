"""Records and annotations to disk, in WFDB's formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from archive.mit import encode
from archive.read import finest_step
from ecg import Annotations, BadRecord, Record
from ecg.frame import MISSING

_NONE: Mapping[str, Annotations] = MappingProxyType({})


def write_record(
    record: Record, directory: Path, annotations: Mapping[str, Annotations] = _NONE
) -> Path:
    """Write a record as 16-bit WFDB: `NAME.hea`, `NAME.dat` and a file for each annotator.

    Parameters
    ----------
    record : Record
        Written in steps of its `lsb_mv`, or of the next that lets its highest sample fit.
    directory : Path
        Made when it does not exist. Files of the same name are overwritten.
    annotations : mapping of str to Annotations
        By annotator.

    Returns
    -------
    Path
        The record, without suffix.

    Raises
    ------
    BadRecord
        If WFDB has no way to write it: a name of other than letters, digits, `-` and `_`, no
        samples, or marks out of order.
    """
    import wfdb

    directory.mkdir(parents=True, exist_ok=True)
    step_mv = finest_step(record.x_mv, [record.lsb_mv])
    start = datetime.fromtimestamp(record.start_ns / 1e9, UTC).replace(tzinfo=None)
    try:
        wfdb.wrsamp(
            record.name,
            fs=record.fs_hz,
            units=["mV"] * len(record.leads),
            sig_name=list(record.leads),
            d_signal=_to_steps(record.x_mv, step_mv).T,
            fmt=["16"] * len(record.leads),
            adc_gain=[1 / step_mv] * len(record.leads),
            baseline=[0] * len(record.leads),
            comments=list(record.comments),
            base_datetime=start if record.start_ns else None,
            write_dir=str(directory),
        )
    except Exception as err:  # wfdb has no errors of its own
        raise BadRecord(f"record {record.name!r} cannot be written as WFDB: {err}") from err
    path = directory / record.name
    for annotator, marks in annotations.items():
        write_annotations(marks, path, annotator)
    return path


def write_annotations(
    annotations: Annotations, path: Path, annotator: str, fs_hz: float | None = None
) -> Path:
    """Write `path.annotator`, a WFDB annotation file.

    Parameters
    ----------
    annotations : Annotations
    path : Path
        The record, without suffix.
    annotator : str
    fs_hz : float, optional
        Rate at which its samples count; without it, that of the record's header.

    Raises
    ------
    BadRecord
        If marks are out of order, or of symbols that WFDB does not know.
    """
    import wfdb

    file = path.with_name(f"{path.name}.{annotator}")
    if not annotations.symbol:
        file.write_bytes(b"\0\0")  # the end mark alone: wfdb refuses to write that
        return file
    codes = {label.symbol: label.label_store for label in wfdb.io.annotation.ann_labels}
    unknown = set(annotations.symbol) - codes.keys()
    if unknown:  # wfdb would write them as comments, without a word
        raise BadRecord(
            f"{file}: cannot be written as WFDB annotations: {', '.join(sorted(unknown))} are no "
            "symbols of WFDB"
        )
    try:
        encode(annotations, codes, fs_hz).tofile(file)
    except BadRecord as err:
        raise BadRecord(f"{file}: cannot be written as WFDB annotations: {err}") from err
    return file


def _to_steps(x_mv: NDArray[np.float32], step_mv: float) -> NDArray[np.int16]:
    """Samples as int16 [n_leads, n_samples]; NaN becomes `MISSING`."""
    steps = np.rint(x_mv / np.float32(step_mv))
    return np.where(np.isnan(steps), MISSING, steps).astype(np.int16)
