"""Scoring an archive: what is written, that it is the same for any workers, what goes wrong."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import wfdb

import archive.analysis
from archive.analysis import Job
from archive.annotate import annotate, settled
from archive.folders import compare_folders
from archive.provenance import sha256
from archive.read import read_annotations, read_record
from archive.score import _in_order, score
from archive.tables import SUMMARY
from archive.write import write_record
from detectors.analyzer import Analyzer
from ecg import EPISODE, QUALITY, BadRecord, BadSetting, Findings, Record
from ecg.codes import EpisodeKind, QualityCode

SIMULATED = Path(__file__).parents[2] / "data" / "simulated"


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "summary.csv").open(newline="") as file:
        return {row["record"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> Path:
    """Two simulated records, scored in this process, all formats."""
    out = tmp_path_factory.mktemp("scored")
    paths = [SIMULATED / "sinus", SIMULATED / "pvcs"]
    run = score(paths, out, workers=1, formats=("csv", "parquet", "wfdb"))
    assert (run.records, run.failed, run.errors) == (2, 0, {})
    return out


@pytest.fixture
def broken(tmp_path) -> Path:
    """A folder of a good record and three that are not."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("sinus", "pvcs", "vt"):
        for suffix in (".hea", ".dat"):
            shutil.copy(SIMULATED / f"{name}{suffix}", folder)
    (folder / "pvcs.dat").unlink()
    content = (folder / "vt.dat").read_bytes()
    (folder / "vt.dat").write_bytes(content[: len(content) // 2])
    (folder / "xx.hea").write_text("no header")
    return folder


# -- what is written -------------------------------------------------------------------------------


def test_the_findings_are_those_of_the_live_path(scored):
    record = read_record(SIMULATED / "pvcs")
    analyzer = Analyzer(record.fs_hz, record.leads, record.start_ns)
    pieces = [analyzer.push(record.x_mv[:, i : i + 77]) for i in range(0, record.n_samples, 77)]
    live = Findings.concat([*pieces, analyzer.finish()]).with_classes().beats
    table = pq.read_table(scored / "beats.parquet").to_pylist()
    rows = [row for row in table if row["record"] == "pvcs"]
    assert [row["sample"] for row in rows] == live["sample"].tolist()
    assert [row["code"] for row in rows] == [chr(code) for code in live["code"]]
    assert [row["confidence"] for row in rows] == live["confidence"].tolist()
    np.testing.assert_allclose([row["time_s"] for row in rows], live["sample"] / record.fs_hz)


def test_wfdb_reads_the_annotations(scored):
    marks = wfdb.rdann(str(scored / "sinus"), "trh")
    table = pq.read_table(scored / "beats.parquet").to_pylist()
    beats = sorted(row["sample"] for row in table if row["record"] == "sinus")
    is_beat = np.isin(marks.symbol, list("NLRAaJSVFejE/fQ"))
    assert marks.sample[is_beat].tolist() == beats
    assert marks.fs == read_record(SIMULATED / "sinus").fs_hz


def test_the_summary_has_a_row_a_record(scored):
    rows = rows_of(scored)
    assert list(rows) == ["sinus", "pvcs"]
    table = pq.read_table(scored / "beats.parquet").to_pylist()
    for name, row in rows.items():
        record = read_record(SIMULATED / name)
        assert tuple(row) == SUMMARY
        assert row["error"] == ""
        assert float(row["fs_hz"]) == record.fs_hz
        assert row["leads"].split() == list(record.leads)
        assert float(row["duration_s"]) == pytest.approx(record.duration_s, abs=1e-3)
        assert int(row["beats"]) == sum(beat["record"] == name for beat in table)
        assert int(row["beats"]) == sum(int(row[f"beats_{c}"]) for c in "nsvfq")
        low, middle, high = (float(row[f"hr_{what}_bpm"]) for what in ("min", "median", "max"))
        assert 0 < low <= middle <= high < 300
        assert 0 <= float(row["usable_share"]) <= 1


def test_csv_and_parquet_tell_the_same(scored):
    table = pq.read_table(scored / "beats.parquet").to_pylist()
    with (scored / "beats.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table) > 50
    for row, of_table in zip(rows, table, strict=True):
        assert list(row) == list(of_table)
        assert (row["record"], int(row["sample"])) == (of_table["record"], of_table["sample"])
        assert row["code"] == of_table["code"]
        assert float(row["confidence"]) == pytest.approx(of_table["confidence"], rel=1e-6)
        assert (row["rr_s"] == "") == (of_table["rr_s"] is None)


def test_run_json_tells_what_the_results_depend_on(scored):
    told = json.loads((scored / "run.json").read_text())
    assert (told["records"], told["failed"], told["errors"]) == (2, 0, {})
    assert told["settings"] == {"leads": None, "formats": ["csv", "parquet", "wfdb"]}
    assert {"telerhythm", "numpy", "numba", "wfdb", "analysis_sha256"} <= set(told["versions"])
    assert told["inputs"]["sinus"]["sha256"] == {
        name: sha256(SIMULATED / name) for name in ("sinus.hea", "sinus.dat")
    }
    written = {file.name for file in scored.iterdir()} - {"run.json"}
    assert told["outputs"] == {name: sha256(scored / name) for name in told["outputs"]}
    assert set(told["outputs"]) == written


def test_the_annotations_can_be_evaluated(scored):
    done = compare_folders(SIMULATED, scored)
    assert (set(done.tables), done.errors) == ({"sinus", "pvcs"}, {})


def test_only_the_formats_that_are_asked_for_are_written(tmp_path):
    score([SIMULATED / "sinus"], tmp_path, workers=1, formats=("csv",))
    written = {file.name for file in tmp_path.iterdir()}
    assert written == {"summary.csv", "run.json", "beats.csv", "episodes.csv"}


def test_leads_by_name_and_position(tmp_path):
    score([SIMULATED / "sinus"], tmp_path, leads=["2"], workers=1)
    leads = read_record(SIMULATED / "sinus").leads
    assert rows_of(tmp_path)["sinus"]["leads"] == leads[1]
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["leads"] == ["2"]


def test_records_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for suffix in (".hea", ".dat"):
            shutil.copy(SIMULATED / f"sinus{suffix}", tmp_path / folder)
    out = tmp_path / "out"
    score([tmp_path / "a", tmp_path / "b"], out, workers=1)
    assert list(rows_of(out)) == ["a/sinus", "b/sinus"]
    assert (out / "a/sinus.trh").read_bytes() == (out / "b/sinus.trh").read_bytes()


def test_an_edf_record_is_scored_as_any_other(tmp_path):
    import edfio

    record = read_record(SIMULATED / "sinus")
    signals = [
        edfio.EdfSignal(lead.astype(float), record.fs_hz, label=name, physical_dimension="mV")
        for name, lead in zip(record.leads, record.x_mv, strict=True)
    ]
    edfio.Edf(signals).write(tmp_path / "night.edf")
    score([tmp_path / "night.edf"], tmp_path / "out", workers=1)
    theirs, ours = (read_annotations(p, "trh") for p in (tmp_path / "out/night", _wfdb(tmp_path)))
    # EDF has its samples in other steps: a peak may lie a sample aside
    np.testing.assert_allclose(theirs.sample, ours.sample, atol=1)
    told = json.loads((tmp_path / "out/run.json").read_text())
    assert list(told["inputs"]["night"]["sha256"]) == ["night.edf"]


def _wfdb(tmp_path: Path) -> Path:
    score([SIMULATED / "sinus"], tmp_path / "wfdb", workers=1)
    return tmp_path / "wfdb/sinus"


def test_samples_that_are_missing_have_no_beats(tmp_path):
    record = read_record(SIMULATED / "sinus")
    x_mv = record.x_mv.copy()
    begin, end = int(8 * record.fs_hz), int(12 * record.fs_hz)
    x_mv[:, begin:end] = np.nan
    path = write_record(Record("gap", record.fs_hz, record.leads, x_mv), tmp_path)
    score([path], tmp_path / "out", workers=1)
    row = rows_of(tmp_path / "out")["gap"]
    marks = read_annotations(tmp_path / "out/gap", "trh")
    beats = marks.sample[[symbol == "N" for symbol in marks.symbol]]
    assert row["error"] == ""
    assert not np.any((beats > begin) & (beats < end))
    assert np.any(beats < begin)
    assert np.any(beats > end)


# -- workers ---------------------------------------------------------------------------------------


def test_two_workers_write_what_one_writes(broken, tmp_path):
    paths = [SIMULATED / "af", broken]
    for workers in (1, 2):
        score(paths, tmp_path / str(workers), workers=workers, formats=("csv", "parquet", "wfdb"))
    one, two = (json.loads((tmp_path / f"{n}/run.json").read_text()) for n in (1, 2))
    for told in (one, two):
        del told["began"], told["seconds"]
    assert one == two
    assert len(one["outputs"]) == 5 + 2


class Deadly:
    """Ends the process that unpickles it, as the kernel ends one that takes too much memory."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_process_that_dies_costs_its_record_only():
    deadly, good = Job(Deadly(), "deadly"), Job(SIMULATED / "sinus", "good")  # type: ignore[arg-type]
    died, scored = _in_order([deadly, good], workers=2)
    assert (died.job.name, died.error) == ("deadly", "its process died: out of memory, or killed")
    assert (scored.job.name, scored.error) == ("good", "")
    assert scored.beats.size > 0


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_record_that_fails_has_its_error_in_its_row(broken, tmp_path):
    told = []
    run = score(
        [broken], tmp_path, workers=1, on_record=lambda s, i, n: told.append((s.job.name, i, n))
    )
    assert told == [("pvcs", 1, 4), ("sinus", 2, 4), ("vt", 3, 4), ("xx", 4, 4)]
    assert (run.records, run.failed) == (4, 3)
    rows = rows_of(tmp_path)
    assert {name: row["error"] for name, row in rows.items() if row["error"]} == run.errors
    assert "missing" in rows["pvcs"]["error"]
    assert "cut short" in rows["vt"]["error"]
    assert "not a WFDB header" in rows["xx"]["error"]
    assert rows["vt"]["beats"] == ""
    assert int(rows["sinus"]["beats"]) > 0
    assert {file.name for file in tmp_path.glob("*.trh")} == {"sinus.trh"}


def test_an_error_that_nobody_foresaw_is_told_with_its_place(tmp_path, monkeypatch):
    def read(path, leads):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(archive.analysis, "read_record", read)
    run = score([SIMULATED / "sinus"], tmp_path, workers=1)
    assert "unexpected ZeroDivisionError at test_score.py" in run.errors["sinus"]


def test_a_record_too_slow_to_analyse_is_told(tmp_path):
    slow = Record("slow", 50.0, ("II",), np.zeros((1, 500), np.float32))
    run = score([write_record(slow, tmp_path)], tmp_path / "out", workers=1)
    assert "50" in run.errors["slow"]


def test_paths_formats_and_workers_that_there_are_not(tmp_path):
    with pytest.raises(BadRecord, match="nowhere: no such record"):
        score(["nowhere"], tmp_path)
    with pytest.raises(BadSetting, match=r"format xml: allowed are csv, parquet, wfdb"):
        score([SIMULATED / "sinus"], tmp_path, formats=["xml"])
    with pytest.raises(BadSetting, match="workers is 0"):
        score([SIMULATED / "sinus"], tmp_path, workers=0)


# -- findings as annotations -----------------------------------------------------------------------


def episodes(*spans: tuple[EpisodeKind, int, int]):
    rows = np.zeros(len(spans), EPISODE)
    for row, (kind, onset, end) in zip(rows, spans, strict=True):
        row["kind"], row["onset"], row["end"] = kind, onset, end
    return rows


def rhythm(*spans: tuple[EpisodeKind, int, int]) -> list[tuple[int, str]]:
    marks = annotate(Findings(episodes=episodes(*spans)), 1, 100.0)
    assert set(marks.symbol) <= {"+"}
    return list(zip(marks.sample.tolist(), marks.aux, strict=True))


def test_a_rhythm_begins_and_ends():
    assert rhythm((EpisodeKind.AF, 500, 900)) == [(500, "(AFIB"), (900, "(N")]


def test_a_rhythm_that_lasts_to_the_end_has_no_end():
    assert rhythm((EpisodeKind.AF, 500, -1)) == [(500, "(AFIB")]


def test_within_another_the_rhythm_that_began_last_counts():
    assert rhythm((EpisodeKind.AF, 100, 900), (EpisodeKind.VT, 300, 400)) == [
        (100, "(AFIB"),
        (300, "(VT"),
        (400, "(AFIB"),
        (900, "(N"),
    ]


def test_an_episode_that_opens_and_ends_is_one():
    rows = episodes(
        (EpisodeKind.AF, 100, -1), (EpisodeKind.VT, 150, 160), (EpisodeKind.AF, 100, 900)
    )
    assert settled(rows)["end"].tolist() == [900, 160]


def test_seconds_that_no_lead_can_be_read_in_are_a_shutdown():
    rows = np.zeros(8, QUALITY)
    rows["sample"], rows["lead"] = np.repeat([0, 100, 200, 300], 2), [0, 1] * 4
    rows["code"] = QualityCode.USABLE
    rows["code"][2:6] = QualityCode.LEAD_OFF  # both leads in seconds 1 and 2
    rows["code"][6] = QualityCode.SATURATED  # one lead in second 3
    marks = annotate(Findings(quality=rows), 2, 100.0)
    assert marks.sample.tolist() == [100, 300]
    assert (marks.symbol, marks.subtype) == (("~", "~"), (0x30, 0))
