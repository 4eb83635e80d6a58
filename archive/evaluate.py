"""Beat-by-beat comparison of annotations, as ANSI/AAMI EC57:2012, 4.3 prescribes it.

The rules are those of the standard's reference program, `bxb` of the WFDB applications (options
`-L`, default times), described in the "WFDB Applications Guide", and `sumstats` for totals. Tables
agree with theirs cell by cell; `tests/archive` compares them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.marks import Marks, read_marks
from ecg import Annotations

LEARNING_S = 300.0  # EC57, 4.3: the first five minutes are the algorithm's to learn
MATCH_S = 0.15  # EC57, 4.3.2: labels within 150 ms of each other are of the same beat

CLASSES = "NSVFQOX"
"""Rows and columns of the table: classes of beats, O no label, X no label within shutdown."""

_N, _S, _V, _F, _Q, _O, _X = range(7)
_BEATS = slice(_N, _O)
_MISSED = slice(_O, _X + 1)


@dataclass(frozen=True, slots=True, eq=False)
class BeatTable:
    """Tallies of one record, or of several records together.

    Attributes
    ----------
    counts : int64 [7, 7]
        Reference class (row) by test class (column), both in the order of `CLASSES`.
    shutdown_s : float
        How long the test annotator said that it could not analyse.
    rr_square_s2, rr_pairs : float, int
        Sum of squared differences between RR intervals, s², and how many there are.
    delay_s : float64 [n_pairs]
        Test minus reference time of each beat that both have, median of its record removed.
    delay_is_n : bool [n_pairs]
        Whether the reference labels that beat `N` (not merely of its class).
    """

    counts: NDArray[np.int64]
    shutdown_s: float
    rr_square_s2: float
    rr_pairs: int
    delay_s: NDArray[np.float64]
    delay_is_n: NDArray[np.bool_]

    @property
    def n_beats(self) -> int:
        """Reference beats."""
        return int(self.counts[_BEATS].sum())

    @property
    def q_se(self) -> float:
        """QRS sensitivity: share of the reference's beats that were found; NaN when none."""
        return _share(self.counts[_BEATS, _BEATS].sum(), self.counts[_BEATS].sum())

    @property
    def q_ppv(self) -> float:
        """QRS positive predictivity: share of the labels that stand on a beat."""
        return _share(self.counts[_BEATS, _BEATS].sum(), self.counts[:, _BEATS].sum())

    @property
    def v_se(self) -> float:
        """Sensitivity for ventricular beats."""
        return _share(self.counts[_V, _V], self.counts[_V].sum())

    @property
    def v_ppv(self) -> float:
        """Positive predictivity for ventricular beats; calling F or Q so is no error (EC57)."""
        return _share(self.counts[_V, _V], self.counts[[_N, _S, _V, _O, _X], _V].sum())

    @property
    def s_se(self) -> float:
        """Sensitivity for supraventricular beats."""
        return _share(self.counts[_S, _S], self.counts[_S].sum())

    @property
    def s_ppv(self) -> float:
        """Positive predictivity for supraventricular beats, F and Q called so left out."""
        return _share(self.counts[_S, _S], self.counts[[_N, _S, _V, _O, _X], _S].sum())

    @property
    def rr_rms_ms(self) -> float:
        """Root mean square difference of RR intervals, ms; NaN when there is none."""
        return float(1e3 * np.sqrt(self.rr_square_s2 / self.rr_pairs)) if self.rr_pairs else np.nan

    def delay_sd_ms(self, only_n: bool = False) -> float:
        """Standard deviation of the beats' times against the reference, ms."""
        delay_s = self.delay_s[self.delay_is_n] if only_n else self.delay_s
        return float(1e3 * np.std(delay_s)) if delay_s.size else np.nan

    def delay_p95_ms(self) -> float:
        """95 % of the N beats lie within this time of the reference, ms."""
        delay_s = np.abs(self.delay_s[self.delay_is_n])
        return float(1e3 * np.percentile(delay_s, 95)) if delay_s.size else np.nan

    def line(self) -> dict[str, int]:
        """The columns of EC57's line format, named as there.

        `On'`: labels n, f and q where no beat is, whether in shutdown (X) or not (O).
        """
        like_n, missed = [_N, _F, _Q], [_O, _X]
        rows = {"N": [_N], "S": [_S], "V": [_V], "F": [_F, _Q], "O": missed}
        columns = {"n": like_n, "s": [_S], "v": [_V], "o": missed}
        cells = {
            f"{row}{column}": int(self.counts[np.ix_(of, called)].sum())
            for column, called in columns.items()
            for row, of in rows.items()
        }
        del cells["Oo"]
        return cells

    def figures(self) -> dict[str, float]:
        """All figures by name: percentages, ms, s; NaN where one is not defined."""
        return {
            **{name: 100 * getattr(self, name) for name in PERCENTAGES},
            "rr_rms_ms": self.rr_rms_ms,
            "delay_sd_ms": self.delay_sd_ms(),
            "delay_sd_n_ms": self.delay_sd_ms(only_n=True),
            "delay_p95_n_ms": self.delay_p95_ms(),
            "shutdown_s": self.shutdown_s,
        }


PERCENTAGES = ("q_se", "q_ppv", "v_se", "v_ppv", "s_se", "s_ppv")


def compare(
    reference: Annotations,
    test: Annotations,
    fs_hz: float,
    n_samples: int,
    learning_s: float = LEARNING_S,
    match_s: float = MATCH_S,
) -> BeatTable:
    """Compare two annotators of one record beat by beat.

    Parameters
    ----------
    reference, test : Annotations
        Times in samples at `fs_hz`.
    fs_hz : float
    n_samples : int
        Length of the record; 0 when not known: then to the last beat of the reference.
    learning_s, match_s : float
        Time left out at the beginning, and how far apart labels of one beat may lie. Values
        other than the defaults are not those of the standard.

    Returns
    -------
    BeatTable
    """
    window = round(match_s * fs_hz)
    ref, tst = read_marks(reference, window), read_marks(test, window)
    tally = _Tally(ref, tst, n_samples)
    tally.walk(round(learning_s * fs_hz), window)
    delay_s = np.array(tally.delays, np.float64) / fs_hz
    if delay_s.size:
        delay_s -= np.median(delay_s)
    return BeatTable(
        counts=tally.counts,
        shutdown_s=float(tst.shutdown_samples(n_samples) / fs_hz),
        rr_square_s2=tally.rr_square / fs_hz**2,
        rr_pairs=tally.rr_pairs,
        delay_s=delay_s,
        delay_is_n=np.array(tally.delay_is_n, np.bool_),
    )


def total(tables: Iterable[BeatTable]) -> BeatTable:
    """Tallies of several records in one table: its figures are the gross statistics of EC57."""
    tables = list(tables)
    return BeatTable(
        counts=sum((t.counts for t in tables), np.zeros((7, 7), np.int64)),
        shutdown_s=sum(t.shutdown_s for t in tables),
        rr_square_s2=sum(t.rr_square_s2 for t in tables),
        rr_pairs=sum(t.rr_pairs for t in tables),
        delay_s=np.concatenate([np.empty(0), *(t.delay_s for t in tables)]),
        delay_is_n=np.concatenate([np.empty(0, np.bool_), *(t.delay_is_n for t in tables)]),
    )


def average(tables: Iterable[BeatTable]) -> dict[str, float]:
    """Mean of each figure over the records in which it is defined: the average statistics."""
    rows = [table.figures() for table in tables]
    means = {}
    for name in rows[0] if rows else ():
        values = np.array([row[name] for row in rows])
        known = values[np.isfinite(values)]
        means[name] = float(known.mean()) if known.size else np.nan
    return means


class _Tally:
    """One walk through both annotators in order of time, counting pairs of labels."""

    def __init__(self, ref: Marks, tst: Marks, n_samples: int) -> None:
        self.ref, self.tst = ref, tst
        self.end = n_samples if n_samples > 0 else ref.last
        self.counts = np.zeros((7, 7), np.int64)
        self.rr_square, self.rr_pairs = 0.0, 0
        self.delays: list[int] = []
        self.delay_is_n: list[bool] = []

    def walk(self, start: int, window: int) -> None:
        """Count all pairs from sample `start` on; labels pair within `window` samples."""
        ref, tst = self.ref, self.tst
        i, j = ref.first_from(start), tst.first_from(start)
        i, j = self._across_start(i, j, start, window)
        while ref.at(i) <= self.end or tst.at(j) <= self.end:
            ref_at, tst_at = ref.at(i), tst.at(j)
            apart = abs(ref_at - tst_at)
            # the earlier label waits for no better partner than the other side's next one
            rival = tst.at(j + 1) - ref_at if tst_at < ref_at else ref.at(i + 1) - tst_at
            if apart <= window and apart < abs(rival):
                self._count(ref.classes[i], tst.classes[j], i, j)
                i, j = i + 1, j + 1
            elif tst_at < ref_at:
                if not ref.in_fibrillation(tst_at):
                    self._count(_X if ref.in_shutdown(tst_at) else _O, tst.classes[j], i, j)
                else:
                    self._count_rr(i, j)
                j += 1
            else:
                self._count(ref.classes[i], _X if tst.in_shutdown(ref_at) else _O, i, j)
                i += 1

    def _across_start(self, i: int, j: int, start: int, window: int) -> tuple[int, int]:
        """Labels on both sides of the start: a pair counts when its reference lies behind it."""
        ref, tst = self.ref, self.tst
        before = ref.at(i) - tst.at(j - 1) if j > 0 else window + 1
        if before <= window and before < abs(ref.at(i) - tst.at(j)):
            self._count(ref.classes[i], tst.classes[j - 1], i, j - 1)
            return i + 1, j
        closer = abs(ref.at(i) - tst.at(j + 1)) < abs(ref.at(i) - tst.at(j))
        if tst.at(j) - start <= window and closer:
            j += 1
        return i, j

    def _count(self, ref_class: int, tst_class: int, i: int, j: int) -> None:
        self.counts[ref_class, tst_class] += 1
        self._count_rr(i, j)
        if ref_class < _O and tst_class < _O:
            self.delays.append(self.tst.at(j) - self.ref.at(i))
            self.delay_is_n.append(self.ref.normal[i])

    def _count_rr(self, i: int, j: int) -> None:
        ref_rr, tst_rr = self.ref.rr(i), self.tst.rr(j)
        if ref_rr > 0 and tst_rr > 0:
            self.rr_square += float(ref_rr - tst_rr) ** 2
            self.rr_pairs += 1


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else np.nan
