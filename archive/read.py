"""Records as they lie on disk: WFDB and EDF in, `ecg.Record` and `ecg.Annotations` out.

Formats: WFDB header and signal files (Moody, "WFDB Applications Guide"; every format that the
`wfdb` package reads, the `.mat` files of the PhysioNet challenges among them) and EDF / EDF+
(Kemp 1992, 2003; through `edfio`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archive.find import find_records, strip_suffix
from archive.leads import choose_leads, to_millivolt
from ecg import Annotations, BadRecord, Record

if TYPE_CHECKING:
    import edfio

__all__ = ["find_records", "read_annotations", "read_length", "read_record", "read_signals"]

# wfdb and edfio are imported where they are used: wfdb alone takes 0.4 s to import, and
# `telerhythm serve` comes here without reading a record.

# Value that stands for "no sample" in each WFDB storage format (WFDB, "signal(5)").
INVALID_SAMPLE = {
    "16": -1 << 15,
    "24": -1 << 23,
    "32": -1 << 31,
    "61": -1 << 15,
    "80": -1 << 7,
    "160": -1 << 15,
    "212": -1 << 11,
    "310": -1 << 9,
    "311": -1 << 9,
    "508": -1 << 7,
    "516": -1 << 15,
    "524": -1 << 23,
}


IN_16_BITS = {
    "16",
    "61",
    "80",
    "160",
    "212",
    "310",
    "311",
    "508",
    "516",
}  # formats whose values fit


def read_record(
    path: str | Path,
    leads: Sequence[str] | None = None,
    uncalibrated_gain: float | None = None,
    until_s: float | None = None,
) -> Record:
    """A record with its ECG leads.

    Parameters
    ----------
    path : str or Path
        With or without suffix: `mitdb/100`, `mitdb/100.hea`, `night.edf`.
    leads : sequence of str, optional
        Which signals, by the name they have in the file, by their standard name, or by position
        (`"1"` is the first); `["*"]` for all there are. Without it, all that are ECG. A signal
        that is no voltage (PLETH, ABP) can be had by name; its values then keep the file's unit.
    uncalibrated_gain : float, optional
        ADC units per millivolt of signals whose header says that they are not calibrated (gain
        0 or none). Without it such signals are refused: their height would be a guess.
    until_s : float, optional
        Nothing behind this time is read, where the format allows it, nor given.

    Returns
    -------
    Record
        `x_mv` float32 [n_leads, n_samples], NaN where the file has no valid sample.

    Raises
    ------
    BadRecord
        If the record is missing, cut short, not readable, has no ECG lead, no lead of a name
        asked for, or leads at different rates.
    """
    file = _locate(Path(path))
    if file.suffix == ".hea":
        record = _read_wfdb(file, leads, uncalibrated_gain, until_s)
    else:
        record = _read_edf(file, leads)
    if until_s is None or record.duration_s <= until_s:
        return record
    return replace(record, x_mv=record.x_mv[:, : round(until_s * record.fs_hz)])


def read_annotations(
    path: str | Path, annotator: str = "atr", fs_hz: float | None = None
) -> Annotations:
    """Marks of one annotator on a record: the file `path.annotator`.

    Parameters
    ----------
    path : str or Path
        The record, with or without suffix.
    annotator : str
    fs_hz : float, optional
        Rate to count samples at, for a file that says that it counts at another one. Without
        it, samples are those of the file.

    Raises
    ------
    BadRecord
        If the file is missing or is not a WFDB annotation file.
    """
    import wfdb

    record = strip_suffix(Path(path))
    file = record.with_name(f"{record.name}.{annotator}")
    if not file.is_file():
        raise BadRecord(f"{file}: no such annotation file; annotator {annotator!r} may be wrong")
    try:
        marks = wfdb.rdann(str(record), annotator)
    except Exception as err:  # wfdb has no errors of its own: it fails as NumPy happens to fail
        raise BadRecord(f"{file}: not a WFDB annotation file, or cut short ({err})") from err
    subtype = tuple(int(s) for s in marks.subtype) if np.any(marks.subtype) else ()
    sample = np.asarray(marks.sample, np.int64)
    if fs_hz and marks.fs and marks.fs != fs_hz:
        sample = np.rint(sample * (fs_hz / marks.fs)).astype(np.int64)
    return Annotations(
        sample=sample,
        symbol=tuple(marks.symbol),
        aux=tuple(aux.rstrip("\0") for aux in marks.aux_note),
        subtype=subtype,
    )


def read_length(path: str | Path) -> tuple[float, int]:
    """Rate, Hz, at which a WFDB record's annotations count, and its samples at that rate.

    The length is 0 when the header does not tell it. Raises `BadRecord` as `read_record` does.
    """
    record = strip_suffix(Path(path))
    header = record.with_name(record.name + ".hea")
    if not header.is_file():
        raise BadRecord(f"{header}: no such header; the comparison needs the record's rate")
    head = _read_header(header)
    return float(head.fs), int(head.sig_len or 0)


def read_signals(path: str | Path) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Names and units of a WFDB record's signals, and its header's comments.

    Raises `BadRecord` as `read_record` does.
    """
    record = strip_suffix(Path(path))
    header = record.with_name(record.name + ".hea")
    if not header.is_file():
        raise BadRecord(f"{header}: no such header; records need one in WFDB's format")
    head = _read_header(header)
    names, units = getattr(head, "sig_name", None) or [], getattr(head, "units", None) or []
    signals = [(name or "", unit or "") for name, unit in zip(names, units, strict=False)]
    return signals, tuple(head.comments or ())


def _locate(path: Path) -> Path:
    """The WFDB header or the EDF file that a path means."""
    record = strip_suffix(path)
    header = record.with_name(record.name + ".hea")
    edfs = [record.with_name(record.name + suffix) for suffix in (".edf", ".EDF")]
    order = [*edfs, header] if path.suffix.lower() == ".edf" else [header, *edfs]
    for file in order:
        if file.is_file():
            return file
    raise BadRecord(f"{path}: no such record; looked for {header.name} and {edfs[0].name}")


# ---------------------------------------------------------------- WFDB


def _read_wfdb(
    header: Path, leads: Sequence[str] | None, gain: float | None, until_s: float | None
) -> Record:
    import wfdb

    record = str(header.with_suffix(""))
    head = _read_header(header)
    names = getattr(head, "sig_name", None)
    if not isinstance(head, wfdb.Record):
        # segments may come and go with their leads: wfdb lays them out, NaN where one is away
        return _read_segments(header, leads)
    if not names:
        raise BadRecord(f"{header}: the header names no signals")
    names = [name or f"signal {i}" for i, name in enumerate(names)]
    chosen = choose_leads(names, head.units, leads, str(header))
    _refuse_uncalibrated(header, [i for i, _ in chosen], names, gain)
    rates = {int(head.samps_per_frame[i]) for i, _ in chosen}
    if len(rates) > 1:
        raise BadRecord(f"{header}: leads are at different rates; ask for those of one rate")
    last = None  # all of it
    if until_s is not None and head.sig_len:
        last = min(int(head.sig_len), math.ceil(until_s * head.fs))
    try:
        data = wfdb.rdrecord(
            record,
            sampto=last,
            channels=[i for i, _ in chosen],
            physical=False,
            smooth_frames=False,
            return_res=16 if set(head.fmt) <= IN_16_BITS else 64,
        )
    except Exception as err:
        raise BadRecord(
            f"{header}: signal files are missing, cut short or damaged ({err}); get them again"
        ) from err
    uncalibrated = _uncalibrated(header)
    scales = [
        1 / gain if gain and i in uncalibrated else to_millivolt(head.units[i]) / head.adc_gain[i]
        for i, _ in chosen
    ]
    x_mv = np.empty((len(chosen), len(data.e_d_signal[0])), np.float32)
    for row, digital, fmt, zero, scale in zip(
        x_mv, data.e_d_signal, data.fmt, data.baseline, scales, strict=True
    ):
        _scale(row, digital, INVALID_SAMPLE.get(fmt), zero, scale)
    return Record(
        name=header.stem,
        fs_hz=float(head.fs) * rates.pop(),
        leads=tuple(name for _, name in chosen),
        x_mv=x_mv,
        lsb_mv=finest_step(x_mv, scales),
        start_ns=_to_ns(head.base_datetime),
        comments=tuple(head.comments or ()),
    )


def _read_header(header: Path) -> Any:
    import wfdb

    try:
        return wfdb.rdheader(str(header.with_suffix("")))
    except Exception as err:  # as above
        raise BadRecord(f"{header}: not a WFDB header ({err})") from err


def _scale(
    out: NDArray[np.float32], digital: NDArray[Any], invalid: int | None, zero: int, scale: float
) -> None:
    """Digital samples to physical ones, in place of `out`."""
    # in float64, and rounded once; where 32 bits hold the samples, no float64 copy is made of all
    wide = np.subtract(digital, zero, dtype=np.int32 if digital.dtype.itemsize <= 2 else np.float64)
    np.multiply(wide, scale, out=out, dtype=np.float64, casting="same_kind")
    if invalid is not None:
        out[digital == invalid] = np.nan


def _uncalibrated(header: Path) -> set[int]:
    """Signals whose header line has gain 0 or none; wfdb puts 200 there without a word."""
    lines = [
        line
        for line in header.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    found = set()
    for i, line in enumerate(lines[1:]):
        fields = line.split()
        gain = fields[2].split("/")[0].split("(")[0] if len(fields) > 2 else "0"
        try:
            if float(gain) == 0:
                found.add(i)
        except ValueError as err:
            raise BadRecord(f"{header}: gain {fields[2]!r} of signal {i} is no number") from err
    return found


def _refuse_uncalibrated(
    header: Path, chosen: Sequence[int], names: Sequence[str], gain: float | None
) -> None:
    bad = sorted(_uncalibrated(header) & set(chosen))
    if bad and not gain:
        raise BadRecord(
            f"{header}: {', '.join(names[i] for i in bad)}: gain 0 or none, so millivolts are not "
            "known; write the gain (ADC units/mV) into the header, or give uncalibrated_gain "
            "(WFDB's own default is 200)"
        )


def _read_segments(header: Path, leads: Sequence[str] | None) -> Record:
    """A record of several segments; always in float, since segments differ in gain."""
    import wfdb

    try:
        data = wfdb.rdrecord(str(header.with_suffix("")), m2s=True, physical=True, return_res=32)
    except Exception as err:
        raise BadRecord(f"{header}: a segment is missing or damaged ({err})") from err
    chosen = choose_leads(data.sig_name, data.units, leads, str(header))
    scales = [to_millivolt(data.units[i]) for i, _ in chosen]
    x_mv = np.ascontiguousarray(data.p_signal[:, [i for i, _ in chosen]].T, dtype=np.float32)
    x_mv *= np.asarray(scales, np.float32)[:, None]
    gains = data.adc_gain or [200.0] * data.n_sig
    return Record(
        name=header.stem,
        fs_hz=float(data.fs),
        leads=tuple(name for _, name in chosen),
        x_mv=x_mv,
        lsb_mv=finest_step(x_mv, [s / gains[i] for s, (i, _) in zip(scales, chosen, strict=True)]),
        start_ns=_to_ns(data.base_datetime),
        comments=tuple(data.comments or ()),
    )


# ---------------------------------------------------------------- EDF


def _read_edf(file: Path, leads: Sequence[str] | None) -> Record:
    import edfio

    try:
        edf = edfio.read_edf(file)
        signals = list(edf.signals)
        names = [signal.label for signal in signals]
        chosen = choose_leads(names, [s.physical_dimension for s in signals], leads, str(file))
        rates = {signals[i].sampling_frequency for i, _ in chosen}
        if len(rates) > 1:
            raise BadRecord(f"{file}: leads are at different rates; ask for those of one rate")
        parts = [signals[i] for i, _ in chosen]
        scales = [to_millivolt(signal.physical_dimension) for signal in parts]
        x_mv = np.stack(
            [(s.data * scale).astype(np.float32) for s, scale in zip(parts, scales, strict=True)]
        )
        start_ns = _edf_start_ns(edf)
    except BadRecord:
        raise
    except Exception as err:  # edfio fails as decoding happens to fail
        raise BadRecord(f"{file}: not an EDF file, or cut short ({err})") from err
    steps = [
        scale * abs(s.physical_max - s.physical_min) / (s.digital_max - s.digital_min)
        for s, scale in zip(parts, scales, strict=True)
    ]
    return Record(
        name=file.stem,
        fs_hz=float(rates.pop()),
        leads=tuple(name for _, name in chosen),
        x_mv=x_mv,
        lsb_mv=finest_step(x_mv, steps),
        start_ns=start_ns,
    )


def _edf_start_ns(edf: edfio.Edf) -> int:
    try:
        return _to_ns(edf.startdatetime)
    except ValueError:  # an anonymised start date (EDF+ writes X) is no date
        return 0


# ---------------------------------------------------------------- both


def _to_ns(start: datetime | None) -> int:
    """Neither format knows time zones: the clock of the file is taken for UTC."""
    if start is None:
        return 0
    return round(start.replace(tzinfo=UTC).timestamp() * 1e6) * 1000


def finest_step(x_mv: NDArray[np.float32], steps_mv: Sequence[float]) -> float:
    """The finest of these steps, or else the finest with which all samples fit into 16 bits."""
    if not x_mv.size:
        return min(steps_mv)
    highest = max(x_mv.max(), -x_mv.min())
    if math.isnan(highest):
        # fmax and fmin pass NaN over, but are slow; they are NaN only where all samples are
        highest = np.nan_to_num(max(np.fmax.reduce(x_mv, None), -np.fmin.reduce(x_mv, None)))
    return max(min(steps_mv), float(highest) / 32767)
