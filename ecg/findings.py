"""What an analysis finds, in one representation from the kernel to the store to the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

BEAT = np.dtype(
    [
        ("sample", "i8"),  # of the R peak, at the device's own rate, from the start of its stream
        ("t_ns", "i8"),  # UTC
        ("rr_s", "f4"),  # to the beat before; NaN when there is none
        ("qrs_ms", "f4"),  # width of the QRS complex; NaN when not measured
        ("confidence", "f4"),  # 0..1 that there is a beat
        ("flags", "u2"),  # ecg.codes.BeatFlag
        ("code", "u1"),  # WFDB beat code, as the number of its character: ord("N")
        ("aami", "u1"),  # class of ANSI/AAMI EC57, likewise
        ("lead", "i1"),  # lead that carried the decision; -1: several together
    ],
    align=True,
)

VITALS = np.dtype(
    [
        ("sample", "i8"),  # end of the second that the row speaks for
        ("t_ns", "i8"),
        ("hr_bpm", "f4"),  # from the median of the last 8 RR intervals; NaN when not known
        ("hr_fast_bpm", "f4"),  # from the last 3 RR intervals; NaN when not known
        ("pvc_per_min", "f4"),  # ventricular beats in the last 60 s
        ("af_burden", "f4"),  # share of the last hour in AF, 0..1; NaN when not judged
    ],
    align=True,
)

QUALITY = np.dtype(
    [
        ("sample", "i8"),  # first sample of the second that the row speaks for
        ("t_ns", "i8"),
        ("sqi", "f4"),  # 0 (nothing but noise) .. 1 (clean)
        ("lead", "u1"),
        ("code", "u1"),  # ecg.codes.QualityCode
    ],
    align=True,
)

EPISODE = np.dtype(
    [
        ("onset", "i8"),  # sample
        ("end", "i8"),  # sample; -1 while it goes on
        ("onset_ns", "i8"),
        ("end_ns", "i8"),  # -1 while it goes on
        ("confidence", "f4"),
        ("evidence", "f4", (4,)),  # numbers of the rule that found it; docs/arrhythmia.md
        ("kind", "u1"),  # ecg.codes.EpisodeKind
    ],
    align=True,
)


def _none(dtype: np.dtype[np.void]) -> NDArray[Any]:
    return np.empty(0, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What one push of samples yields.

    Attributes
    ----------
    beats, vitals, quality, episodes : structured arrays
        Of the dtypes `BEAT`, `VITALS`, `QUALITY`, `EPISODE`; in the order in which they became
        final. A beat appears in `beats` at once, its class unknown (`?`), because alarms wait for
        nobody. An episode appears when it opens (`end` -1) and once more when it ends.
    classified : structured array
        `BEAT`: each beat once more when its class and width are final, after the next beat or
        1.7 s, whichever is earlier; in order of time.
    through_sample : int
        All beats before this sample are known: none that comes later will lie before it, save
        those marked `BeatFlag.SEARCH_BACK`. Alarm rules take it for "now".
    quiet_sample : int
        No beat that is not known yet lies before this sample, as far as the signal that has come
        can tell: it has been too low for a beat since the last one. Not before `through_sample`,
        and the same when a beat may be pending; 0.5 s later in silence, which tells an asystole
        so much sooner.
    """

    beats: NDArray[Any] = field(default_factory=lambda: _none(BEAT))
    vitals: NDArray[Any] = field(default_factory=lambda: _none(VITALS))
    quality: NDArray[Any] = field(default_factory=lambda: _none(QUALITY))
    episodes: NDArray[Any] = field(default_factory=lambda: _none(EPISODE))
    classified: NDArray[Any] = field(default_factory=lambda: _none(BEAT))
    through_sample: int = 0
    quiet_sample: int = 0

    def __eq__(self, other: object) -> bool:
        """Equal to the bit: NaN equals the same NaN, 0.0 does not equal -0.0."""
        if not isinstance(other, Findings):
            return NotImplemented
        return (self.through_sample, self.quiet_sample) == (
            other.through_sample,
            other.quiet_sample,
        ) and all(_same_bits(getattr(self, name), getattr(other, name)) for name in TABLES)

    def with_classes(self) -> Findings:
        """Findings of a whole record, with each beat as it was when its class was known.

        `beats` become those of `classified`; a beat without a class, at the end of findings that
        were not finished, stays as it was. They are in order of time.
        """
        beats = self.beats
        if self.classified.size:
            known = np.isin(beats["sample"], self.classified["sample"])
            beats = _join([self.classified, beats[~known]])
        if np.any(np.diff(beats["sample"]) < 0):
            beats = beats[np.argsort(beats["sample"], kind="stable")]
        return replace(self, beats=beats)

    __hash__ = None  # type: ignore[assignment]  # arrays inside: not a key

    @classmethod
    def concat(cls, parts: Iterable[Findings]) -> Findings:
        """The findings of pushes that follow each other, as one."""
        parts = list(parts)
        if not parts:
            return cls()
        tables = {name: _join([getattr(p, name) for p in parts]) for name in TABLES}
        # what was quiet need not be any more: a beat may be pending now
        return cls(
            **tables,
            through_sample=max(p.through_sample for p in parts),
            quiet_sample=parts[-1].quiet_sample,
        )


def _join(tables: list[NDArray[Any]]) -> NDArray[Any]:
    """One table of several of the same dtype, by whole rows: numpy would go field by field."""
    dtype = tables[0].dtype
    rows = np.dtype((np.void, dtype.itemsize))
    return np.concatenate([table.view(rows) for table in tables]).view(dtype)


TABLES = ("beats", "vitals", "quality", "episodes", "classified")


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    # field by field: padding bytes of an aligned dtype may differ
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and all(a[name].tobytes() == b[name].tobytes() for name in a.dtype.names or ())
    )
