"""Run-by-run comparison of annotations, as ANSI/AAMI EC57:2012, 4.4 prescribes it.

The rules are those of the standard's reference program, `rxr` of the WFDB applications, described
in the "WFDB Applications Guide". A run is one of ventricular beats or more in a row (fusion beats
go on with it); flutter and fibrillation are runs of the greatest length. For supraventricular runs,
all beats in atrial fibrillation are supraventricular, and so is its whole span.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import LEARNING_S, MATCH_S
from ecg import Annotations
from ecg.codes import AAMI_CLASS

LONGEST = 6  # beats; longer runs count as long as this
_SHUTDOWN = 0x30
_FAR = 1 << 62  # behind the end of every record

Spans = list[tuple[int, int]]
Event = tuple[int, str]  # sample; class of a beat, or a mark that begins or ends something


@dataclass(frozen=True, slots=True, eq=False)
class RunTable:
    """Tallies of runs: length in the reference (row) by length in the test (column), 0 to 6.

    Attributes
    ----------
    sensitivity, predictivity : int64 [7, 7]
        Of the runs of the reference the longest of the test there; of those of the test the
        longest of the reference.
    """

    sensitivity: NDArray[np.int64]
    predictivity: NDArray[np.int64]

    def line(self) -> dict[str, int]:
        """The columns of EC57's line format: couplets, short runs (3 to 5), long ones (6 up)."""
        se, ppv = self.sensitivity, self.predictivity
        spans = {"C": slice(2, 3), "S": slice(3, 6), "L": slice(6, 7)}
        cells = {}
        for name, span in spans.items():
            least = span.start
            cells[f"{name}Ts"] = int(se[span, least:].sum())
            cells[f"{name}FN"] = int(se[span, :least].sum())
            cells[f"{name}Tp"] = int(ppv[least:, span].sum())
            cells[f"{name}FP"] = int(ppv[:least, span].sum())
        return cells

    def figures(self) -> dict[str, float]:
        """Sensitivity and positive predictivity of couplets, short and long runs, percent."""
        cells = self.line()
        shares = {}
        for name in "CSL":
            for key, right, wrong in (("se", "Ts", "FN"), ("ppv", "Tp", "FP")):
                hit, miss = cells[name + right], cells[name + wrong]
                share = 100.0 * hit / (hit + miss) if hit + miss else np.nan
                shares[f"{_NAMES[name]}_{key}"] = share
        return shares


_NAMES = {"C": "couplet", "S": "short_run", "L": "long_run"}


def compare_runs(
    reference: Annotations,
    test: Annotations,
    fs_hz: float,
    n_samples: int,
    of: str = "V",
) -> RunTable:
    """Compare the runs of two annotators of one record, from the end of the learning period on.

    Parameters
    ----------
    reference, test : Annotations
        Times in samples at `fs_hz`.
    fs_hz : float
    n_samples : int
        Length of the record; 0 when not known.
    of : "V" or "S"
        Runs of ventricular or of supraventricular beats.

    Returns
    -------
    RunTable
    """
    window = round(MATCH_S * fs_hz)
    start = round(LEARNING_S * fs_hz)
    ref, tst = _events(reference), _events(test)
    sensitivity = np.zeros((LONGEST + 1, LONGEST + 1), np.int64)
    predictivity = np.zeros_like(sensitivity)
    ref_spans, tst_spans = _spans(ref, of), _spans(tst, of)
    for length, first, last in _runs(ref, start, n_samples, window, of):
        sensitivity[length, _match(tst, tst_spans, first, last, of)] += 1
    for length, first, last in _runs(tst, start, n_samples, window, of):
        predictivity[_match(ref, ref_spans, first, last, of), length] += 1
    return RunTable(sensitivity, predictivity)


def total_runs(tables: Iterable[RunTable]) -> RunTable:
    """Tallies of several records together."""
    tables = list(tables)
    zero = np.zeros((LONGEST + 1, LONGEST + 1), np.int64)
    return RunTable(
        sum((t.sensitivity for t in tables), zero), sum((t.predictivity for t in tables), zero)
    )


def _events(annotations: Annotations) -> list[Event]:
    """Beats by class, begin and end of fibrillation (`[` `]`, `{` `}`), of shutdown (`U`)."""
    events: list[Event] = []
    in_vf = in_af = unreadable = False
    subtype = annotations.subtype or (0,) * len(annotations.symbol)
    for at, symbol, aux, sub in zip(
        annotations.sample.tolist(), annotations.symbol, annotations.aux, subtype, strict=True
    ):
        if symbol in AAMI_CLASS:
            aami = "S" if symbol in "ejn" else AAMI_CLASS[symbol]  # as in `archive.marks`
            events.append((at, "S" if in_af and aami == "N" else aami))
        elif symbol == "~":
            is_shutdown = sub & _SHUTDOWN == _SHUTDOWN
            if is_shutdown and not unreadable:
                events.append((at, "U"))
            unreadable = is_shutdown
        elif symbol == "[" or (symbol == "+" and aux.startswith("(VF")):
            if not in_vf:
                events.append((at, "["))
            in_vf, in_af = True, False
        elif symbol == "]" and in_vf:
            events.append((at, "]"))
            in_vf = False
        elif symbol == "+" and aux.startswith("(AF"):
            if not in_af:
                events.append((at, "{"))
            in_vf, in_af = False, True
        elif symbol == "+" and (in_af or in_vf):
            events.append((at, "}" if in_af else "]"))
            in_vf = in_af = False
    return events


def _runs(
    events: list[Event], start: int, end: int, window: int, of: str
) -> list[tuple[int, int, int]]:
    """Length, and first and last sample to look for a match, of each run from `start` on."""
    member, opens, closes = _words(of)
    found = []
    length = first = last = 0
    for at, what in events:
        if at < start:  # fibrillation may have begun there
            length = LONGEST if what == opens else 0 if what in "]}" else length
            first, last = start - window, start + window
            continue
        if end > 0 and at > end:
            break
        if what in member or what == opens:
            if length == 0:
                first = at - window
            length = LONGEST if what == opens else min(length + 1, LONGEST)
            last = at + window
        elif length > 0 and what == closes:
            last = at + window
        elif length > 0 and what in "NQUVFS":
            found.append((length, first, last))
            length = 0
    return found


def _match(events: list[Event], spans: Spans, first: int, last: int, of: str) -> int:
    """Length of the longest run there, which fibrillation is by itself."""
    if any(begun <= last and ended > first for begun, ended in spans):
        return LONGEST
    return _longest(events, first, last, of)


def _longest(events: list[Event], first: int, last: int, of: str) -> int:
    """Length of the longest run between two samples, both within, outside fibrillation."""
    member, _, _ = _words(of)
    longest = length = 0
    for k in range(bisect_left(events, (first, "")), len(events)):
        at, what = events[k]
        if at > last:
            break
        if what in member:
            length = min(length + 1, LONGEST)
            longest = max(longest, length)
        elif what in "NQUVFS":
            length = 0
    return longest


def _spans(events: list[Event], of: str) -> Spans:
    """First and last sample of each fibrillation, up to its end, a shutdown or the other kind."""
    _, opens, closes = _words(of)
    spans: Spans = []
    begun: int | None = None
    for at, what in events:
        if what == opens:
            begun = at
        elif begun is not None and (what == closes or what in "U[{"):
            spans.append((begun, at))
            begun = None
    return [*spans, (begun, _FAR)] if begun is not None else spans


def _words(of: str) -> tuple[str, str, str]:
    return ("VF", "[", "]") if of == "V" else ("S", "{", "}")
