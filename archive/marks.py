"""An annotator's beats, shutdowns and fibrillation, made ready for comparison."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from ecg import Annotations
from ecg.codes import AAMI_CLASS

_FAR = 1 << 62  # behind the end of every record

# EC57 3.1 counts escape beats of atrium and node (e, j, n) as S, and so does bxb; the field since
# de Chazal 2004 counts them as N, and so does `ecg.codes`.
_CLASS = {code: "NSVFQ".index("S" if code in "ejn" else aami) for code, aami in AAMI_CLASS.items()}

_UNREADABLE = 0x30  # WFDB: both signals unreadable, bits 4 and 5 of a NOISE mark's subtype

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Marks:
    """Beats in order of time, and the stretches in which there can be none.

    Attributes
    ----------
    samples : list of int, [n]
    classes : list of int, [n]
        Position in `NSVFQ`.
    normal : list of bool, [n]
        Labelled `N` itself, not merely of its class: neither bundle branch block nor escape.
    shutdown, fibrillation : list of (first, last)
        Samples, both ends within.
    """

    samples: list[int]
    classes: list[int]
    normal: list[bool]
    shutdown: Spans
    fibrillation: Spans

    @property
    def last(self) -> int:
        """Sample of the last beat; -1 without beats."""
        return self.samples[-1] if self.samples else -1

    def first_from(self, sample: int) -> int:
        """Index of the first beat at or behind `sample`."""
        return bisect_left(self.samples, sample)

    def at(self, i: int) -> int:
        """Sample of beat `i`; behind the last one, a time that never comes."""
        return self.samples[i] if i < len(self.samples) else _FAR

    def rr(self, i: int) -> int:
        """Samples from the beat before; 0 where that is no RR interval."""
        if not 0 < i < len(self.samples):
            return 0
        before, here = self.samples[i - 1], self.samples[i]
        if any(before <= first < here for first, _ in self.shutdown + self.fibrillation):
            return 0
        return here - before if before > 0 else 0

    def in_shutdown(self, sample: int) -> bool:
        """Whether the annotator could not read the signal there."""
        return any(first <= sample <= last for first, last in self.shutdown)

    def in_fibrillation(self, sample: int) -> bool:
        """Whether the annotator marks ventricular flutter or fibrillation there."""
        return any(first <= sample <= last for first, last in self.fibrillation)

    def shutdown_samples(self, n_samples: int) -> int:
        """Samples of shutdown in all, up to the end of the record."""
        end = n_samples if n_samples > 0 else self.last
        return sum(max(0, min(last, end) - first) for first, last in self.shutdown)


def read_marks(annotations: Annotations, window: int) -> Marks:
    """Sort an annotator's marks.

    Fibrillation lasts from `[` to `]`; what stands in between is no beat. Shutdown lasts from a
    NOISE mark of subtype "both signals unreadable" to the next NOISE mark of another subtype. The
    AHA database has one mark amid the shutdown instead: then it lasts from `window` samples behind
    the mark before to `window` samples ahead of the mark after.

    Parameters
    ----------
    annotations : Annotations
    window : int
        Samples within which labels are of the same beat.
    """
    marks = Marks([], [], [], [], [])
    sample = annotations.sample.tolist()
    subtype = annotations.subtype or (0,) * len(sample)
    previous = 0  # end of the last beat or fibrillation
    i = 0
    while i < len(sample):
        here, symbol = sample[i], annotations.symbol[i]
        if symbol in _CLASS:
            marks.samples.append(here)
            marks.classes.append(_CLASS[symbol])
            marks.normal.append(symbol == "N")
            previous = here
        elif symbol == "[":
            i = _find(annotations.symbol, "]", i)
            previous = sample[i] if i < len(sample) else _FAR
            marks.fibrillation.append((here, previous))
        elif symbol == "~" and subtype[i] & _UNREADABLE == _UNREADABLE:
            after = sample[i + 1] if i + 1 < len(sample) else _FAR
            resumes = after == _FAR or (
                annotations.symbol[i + 1] == "~" and subtype[i + 1] & _UNREADABLE != _UNREADABLE
            )
            if resumes:
                marks.shutdown.append((here, after))
            else:
                last = after - window
                marks.shutdown.append((min(previous + window, last), last))
        i += 1
    return marks


def _find(symbols: tuple[str, ...], wanted: str, start: int) -> int:
    """Index of the next `wanted` from `start` on; the length when there is none."""
    return next((i for i in range(start, len(symbols)) if symbols[i] == wanted), len(symbols))
