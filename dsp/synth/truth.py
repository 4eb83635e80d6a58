"""What is known about a simulated record: exactly, since we made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.synth.render import WaveTimes, to_samples
from dsp.synth.stage import Stage
from ecg import Annotations
from ecg.codes import EpisodeKind

WAVE = np.dtype([("kind", "U1"), ("onset", "i8"), ("peak", "i8"), ("offset", "i8")])


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The truth about a record.

    Attributes
    ----------
    atr : Annotations
        Beats at their R peaks (the extreme of lead II), rhythm changes as `+` with their text,
        `[` and `]` around ventricular fibrillation and flutter.
    wav : Annotations
        Onset `(`, peak `p`, `N` or `t`, and offset `)` of every wave, by time.
    waves : structured array of `WAVE`, by onset
        The same, a row a wave.
    pace : int64 [n]
        First samples of pacing pulses.
    """

    atr: Annotations
    wav: Annotations
    waves: NDArray[Any]
    pace: NDArray[np.int64]

    @property
    def is_beat(self) -> NDArray[np.bool_]:
        """Which marks of `atr` are beats, bool [n]."""
        return np.array([s not in "+[]" for s in self.atr.symbol], bool)

    @property
    def r_samples(self) -> NDArray[np.int64]:
        """R peaks, int64 [n_beats]."""
        return self.atr.sample[self.is_beat]

    @property
    def codes(self) -> str:
        """WFDB codes of the beats."""
        return "".join(s for s in self.atr.symbol if s not in "+[]")

    def annotations(self) -> Mapping[str, Annotations]:
        """By annotator, as written to disk: `atr`, `wav` and, where there are pulses, `pace`."""
        files = {"atr": self.atr, "wav": self.wav}
        if self.pace.size:
            files["pace"] = _marks((int(s), 0, "^", "") for s in self.pace)
        return files


def tell(stage: Stage, waves: list[WaveTimes], fs_hz: float, n_samples: int) -> Truth:
    """The truth about a stage, as far as it lies within the record."""
    rows = [
        (int(sample), 2, beat.code, "")
        for sample, beat in zip(
            to_samples([b.r_s for b in stage.beats], fs_hz), stage.beats, strict=True
        )
    ]
    ends_s = [start for start, _ in stage.rhythms[1:]] + [n_samples / fs_hz]
    before = None
    for (start_s, kind), end_s in zip(stage.rhythms, ends_s, strict=True):
        start, end = (int(s) for s in to_samples([start_s, end_s], fs_hz))
        if kind is not before:
            rows.append((start, 1, "+", kind.wfdb))
        if kind is EpisodeKind.VF:
            rows += [(start, 1, "[", ""), (min(end, n_samples - 1), 0, "]", "")]
        before = kind
    table = _table(waves, fs_hz, n_samples)
    marks = []
    for wave in table:
        marks += [(int(wave["onset"]), 1, "(", ""), (int(wave["peak"]), 2, str(wave["kind"]), "")]
        marks.append((int(wave["offset"]), 0, ")", ""))
    pace = np.sort(to_samples(stage.pulses_s, fs_hz))
    return Truth(
        _marks(row for row in rows if 0 <= row[0] < n_samples),
        _marks(marks),
        table,
        pace[(pace >= 0) & (pace < n_samples)],
    )


def _table(waves: list[WaveTimes], fs_hz: float, n_samples: int) -> NDArray[Any]:
    """Waves that lie within the record as a whole, by onset."""
    table = np.empty(len(waves), WAVE)
    table["kind"] = [w.kind for w in waves]
    table["onset"] = to_samples([w.onset_s for w in waves], fs_hz)
    table["peak"] = to_samples([w.peak_s for w in waves], fs_hz)
    table["offset"] = to_samples([w.offset_s for w in waves], fs_hz)
    table = table[(table["onset"] >= 0) & (table["offset"] < n_samples)]
    return table[np.argsort(table["onset"], kind="stable")]


def _marks(rows: Iterable[tuple[int, int, str, str]]) -> Annotations:
    """From (sample, rank among marks of one sample, symbol, text)."""
    ordered = sorted(rows, key=lambda row: row[:2])
    return Annotations(
        np.array([row[0] for row in ordered], np.int64),
        tuple(row[2] for row in ordered),
        tuple(row[3] for row in ordered),
    )
