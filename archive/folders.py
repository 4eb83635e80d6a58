"""Compare a folder of annotations with a folder of references."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from archive.episodes import EpisodeTable, compare_episodes
from archive.evaluate import BeatTable, compare
from archive.read import read_annotations, read_length
from archive.runs import RunTable, compare_runs
from ecg import BadRecord


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out for each record.

    Attributes
    ----------
    tables : dict of str to BeatTable
        By record.
    episodes : dict of str to dict of str to EpisodeTable
        By record and kind of episode, `archive.episodes.KINDS`.
    runs : dict of str to dict of str to RunTable
        By record, of ventricular (`V`) and of supraventricular (`S`) beats.
    errors : dict of str to str
        Records that could not be compared, and why.
    """

    tables: dict[str, BeatTable] = field(default_factory=dict)
    episodes: dict[str, dict[str, EpisodeTable]] = field(default_factory=dict)
    runs: dict[str, dict[str, RunTable]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def compare_folders(
    reference_dir: Path, test_dir: Path, annotator: str = "trh", reference: str = "atr"
) -> Comparison:
    """Compare every annotation file `test_dir/**/RECORD.annotator` with its reference.

    The reference is `RECORD.reference` in the same place below `reference_dir`, or straight in
    it; the record's header, which tells rate and length, lies beside the reference.

    Raises
    ------
    BadRecord
        If there is no file of that annotator. What is wrong with one record is told in `errors`.
    """
    files = sorted(test_dir.rglob(f"*.{annotator}"))
    if not files:
        raise BadRecord(f"{test_dir}: no files *.{annotator}; is the annotator another one?")
    done = Comparison()
    for file in files:
        test = file.with_suffix("")
        name = str(test.relative_to(test_dir))
        record = reference_dir / name
        if not record.with_name(record.name + ".hea").is_file():
            record = reference_dir / test.name
        try:
            fs_hz, n_samples = read_length(record)
            marks = read_annotations(record, reference, fs_hz)
            judged = read_annotations(test, annotator, fs_hz)
            done.tables[name] = compare(marks, judged, fs_hz, n_samples)
            done.episodes[name] = compare_episodes(marks, judged, fs_hz, n_samples)
            done.runs[name] = {of: compare_runs(marks, judged, fs_hz, n_samples, of) for of in "VS"}
        except BadRecord as error:
            done.errors[name] = str(error)
    return done
