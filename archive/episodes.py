"""Episode-by-episode comparison of rhythms, as ANSI/AAMI EC57:2012, 4.4 prescribes it.

Atrial fibrillation and ventricular fibrillation or flutter, as the standard's reference program,
`epicmp` of the WFDB applications, compares them (options `-A`, `-V`, default times).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from archive.evaluate import LEARNING_S
from ecg import Annotations

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EpisodeTable:
    """Episodes and their durations in one record, or in several together; times in s.

    Attributes
    ----------
    found, missed : int
        Episodes of the reference that the test touches, or does not.
    right, wrong : int
        Episodes of the test that the reference touches, or does not.
    reference_s, test_s : float
        Time in episodes of the reference; of the test, where the reference may be judged.
    both_s : float
        Time in episodes of both.
    """

    found: int = 0
    missed: int = 0
    right: int = 0
    wrong: int = 0
    reference_s: float = 0.0
    test_s: float = 0.0
    both_s: float = 0.0

    @property
    def episode_se(self) -> float:
        """Share of the reference's episodes that were found; NaN when there are none."""
        return _share(self.found, self.found + self.missed)

    @property
    def episode_ppv(self) -> float:
        """Share of the test's episodes that are some."""
        return _share(self.right, self.right + self.wrong)

    @property
    def duration_se(self) -> float:
        """Share of the reference's time that was found."""
        return _share(self.both_s, self.reference_s)

    @property
    def duration_ppv(self) -> float:
        """Share of the test's time that lies in episodes of the reference."""
        return _share(self.both_s, self.test_s)

    def figures(self) -> dict[str, float]:
        """Percentages and s by name; NaN where one is not defined."""
        return {
            **{name: 100 * getattr(self, name) for name in PERCENTAGES},
            "reference_s": self.reference_s,
            "test_s": self.test_s,
        }


PERCENTAGES = ("episode_se", "episode_ppv", "duration_se", "duration_ppv")
KINDS = ("af", "vf")


def compare_episodes(
    reference: Annotations,
    test: Annotations,
    fs_hz: float,
    n_samples: int,
    learning_s: float = LEARNING_S,
) -> dict[str, EpisodeTable]:
    """Compare the episodes of two annotators of one record.

    Parameters
    ----------
    reference, test : Annotations
        Times in samples at `fs_hz`.
    fs_hz : float
    n_samples : int
        Length of the record; 0 when not known: then to the last mark of the reference.
    learning_s : float
        Time left out at the beginning. A value other than the default is not the standard's.

    Returns
    -------
    dict of str to EpisodeTable
        `af` from rhythm marks `(AFIB`, `vf` from `[` to `]`. What the reference marks as atrial
        flutter, `(AFL`, counts neither for nor against the test, as in `epicmp`.
    """
    end = n_samples if n_samples > 0 else int(reference.sample[-1]) if reference.sample.size else 0
    start = round(learning_s * fs_hz)
    flutter = rhythm_spans(reference, "(AFL", end)
    return {
        "af": _table(
            _clipped(rhythm_spans(reference, "(AFIB", end), start, end),
            _clipped(rhythm_spans(test, "(AFIB", end), start, end),
            flutter,
            fs_hz,
        ),
        "vf": _table(
            _clipped(fibrillation_spans(reference, end), start, end),
            _clipped(fibrillation_spans(test, end), start, end),
            [],
            fs_hz,
        ),
    }


def rhythm_spans(marks: Annotations, text: str, end: int) -> Spans:
    """From each rhythm mark that begins with `text` to the next of another rhythm."""
    spans: Spans = []
    since = -1
    for sample, symbol, aux in zip(marks.sample.tolist(), marks.symbol, marks.aux, strict=True):
        if symbol != "+":
            continue
        if aux.startswith(text):
            since = sample if since < 0 else since
        elif since >= 0:
            spans.append((since, sample))
            since = -1
    return [*spans, (since, max(end, since))] if since >= 0 else spans


def fibrillation_spans(marks: Annotations, end: int) -> Spans:
    """From each `[` to the next `]`."""
    spans: Spans = []
    since = -1
    for sample, symbol in zip(marks.sample.tolist(), marks.symbol, strict=True):
        if symbol == "[" and since < 0:
            since = sample
        elif symbol == "]" and since >= 0:
            spans.append((since, sample))
            since = -1
    return [*spans, (since, max(end, since))] if since >= 0 else spans


def total_episodes(tables: Iterable[EpisodeTable]) -> EpisodeTable:
    """Tallies of several records in one table: its figures are gross statistics."""
    names = tuple(EpisodeTable.__dataclass_fields__)
    rows = np.array([[getattr(t, n) for n in names] for t in tables], float).reshape(-1, 7)
    sums = rows.sum(axis=0).tolist()
    return EpisodeTable(*(int(x) for x in sums[:4]), *sums[4:])


def _table(reference: Spans, test: Spans, left_out: Spans, fs_hz: float) -> EpisodeTable:
    judged = [span for span in test if _length([span]) > _overlap([span], left_out)]
    hits = [_overlap([span], test) > 0 for span in reference]
    right = [_overlap([span], reference) > 0 for span in judged]
    return EpisodeTable(
        sum(hits),
        len(hits) - sum(hits),
        sum(right),
        len(right) - sum(right),
        _length(reference) / fs_hz,
        (_length(test) - _overlap(test, left_out)) / fs_hz,
        _overlap(reference, test) / fs_hz,
    )


def _clipped(spans: Spans, start: int, end: int) -> Spans:
    inside = [(max(a, start), min(b, end)) for a, b in spans]
    return [(a, b) for a, b in inside if b > a]


def _length(spans: Spans) -> int:
    return sum(b - a for a, b in spans)


def _overlap(ones: Spans, others: Spans) -> int:
    return sum(max(0, min(b, d) - max(a, c)) for a, b in ones for c, d in others)


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else np.nan
