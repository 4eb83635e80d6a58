"""Records from disk: each format, each way in which a file can be wrong, and what we write."""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np
import pytest
import scipy.io
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.find import find_records
from archive.leads import choose_leads, standard_name, to_millivolt
from archive.read import read_annotations, read_length, read_record
from archive.write import write_annotations, write_record
from ecg import Annotations, BadRecord, Record

STEPS = np.stack([np.arange(-900, 900), np.arange(900, -900, -1)]).astype(np.int16)


def write_wfdb(folder: Path, name: str = "r", fmt: str = "16", **changes: object) -> Path:
    """1,800 samples of two leads: gains 200 and 400 steps a millivolt, baselines 24 and -7."""
    how = {
        "fs": 360,
        "units": ["mV", "mV"],
        "sig_name": ["MLII", "v1"],
        "d_signal": STEPS.T,
        "fmt": [fmt, fmt],
        "adc_gain": [200.0, 400.0],
        "baseline": [24, -7],
    } | changes
    wfdb.wrsamp(name, write_dir=str(folder), **how)
    return folder / name


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


# -- WFDB ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212"])
def test_samples_are_steps_less_baseline_over_gain(tmp_path, fmt):
    steps = STEPS // 10 if fmt == "80" else STEPS
    record = read_record(write_wfdb(tmp_path, fmt=fmt, d_signal=steps.T))
    expected = (steps - [[24], [-7]]) / [[200.0], [400.0]]
    np.testing.assert_allclose(record.x_mv, expected, rtol=1e-6)
    assert record.x_mv.dtype == np.float32
    assert (record.name, record.fs_hz, record.leads) == ("r", 360.0, ("MLII", "V1"))
    assert record.lsb_mv == 1 / 400


def test_wfdb_itself_reads_the_same_values(small_record):
    record = read_record(small_record)
    np.testing.assert_allclose(record.x_mv.T, wfdb.rdrecord(str(small_record)).p_signal, rtol=1e-6)
    assert record.comments == ("as a test",)


@pytest.mark.parametrize(("fmt", "invalid"), [("16", -32768), ("212", -2048), ("80", -128)])
def test_the_formats_value_for_no_sample_becomes_nan(tmp_path, fmt, invalid):
    steps = STEPS // 10
    steps[0, 100:200] = invalid
    record = read_record(write_wfdb(tmp_path, fmt=fmt, d_signal=steps.T))
    assert np.isnan(record.x_mv[0, 100:200]).all()
    assert np.isnan(record.x_mv).sum() == 100


def test_a_mat_file_of_the_challenges(tmp_path):
    scipy.io.savemat(tmp_path / "a1.mat", {"val": STEPS}, format="4")
    (tmp_path / "a1.hea").write_text(
        "a1 2 300 1800\na1.mat 16+24 1000/mV 16 0 0 0 0 II\na1.mat 16+24 1000/mV 16 0 0 0 0 V5\n"
    )
    record = read_record(tmp_path / "a1.mat")
    np.testing.assert_allclose(record.x_mv, STEPS / 1000, rtol=1e-6)
    assert (record.fs_hz, record.leads) == (300.0, ("II", "V5"))


def test_units_become_millivolts(tmp_path):
    record = read_record(write_wfdb(tmp_path, units=["uV", "V"]))
    np.testing.assert_allclose(record.x_mv[0], (STEPS[0] - 24) / 200 / 1000, rtol=1e-6)
    np.testing.assert_allclose(record.x_mv[1], (STEPS[1] + 7) / 400 * 1000, rtol=1e-6)


def test_only_ecg_is_read_unless_another_signal_is_named(tmp_path):
    path = write_wfdb(tmp_path, sig_name=["ABP", "ECG II"], units=["mmHg", "mV"])
    assert read_record(path).leads == ("II",)
    assert read_record(path, ["ABP"]).leads == ("ABP",)
    assert read_record(path, ["*"]).leads == ("ABP", "II")
    np.testing.assert_allclose(read_record(path, ["ABP"]).x_mv[0], (STEPS[0] - 24) / 200, rtol=1e-6)


@pytest.mark.parametrize("wanted", [["V1", "MLII"], ["v1", "1"], ["2", "MLII"]])
def test_leads_come_as_they_are_asked_for(tmp_path, wanted):
    record = read_record(write_wfdb(tmp_path), wanted)
    assert record.leads == ("V1", "MLII")
    np.testing.assert_allclose(record.x_mv[0], (STEPS[1] + 7) / 400, rtol=1e-6)


# -- EDF -------------------------------------------------------------------------------------------


def write_edf(file: Path, *signals: tuple[str, str, float, float]) -> Path:
    """Ten seconds of a ramp from -1 to 1, times a factor, a signal: label, unit, rate, factor."""
    edfio.Edf(
        [
            edfio.EdfSignal(
                np.linspace(-factor, factor, int(10 * fs_hz)), fs_hz, label=label,
                physical_dimension=unit, physical_range=(-2 * factor, 2 * factor),
            )
            for label, unit, fs_hz, factor in signals
        ]
    ).write(file)  # fmt: skip
    return file


def test_an_edf_file_in_microvolts(tmp_path):
    file = write_edf(
        tmp_path / "night.edf",
        ("ECG II", "uV", 250, 1000), ("EEG C3", "uV", 250, 100), ("SpO2", "%", 1, 100),
    )  # fmt: skip
    for path in (file, file.with_suffix("")):
        record = read_record(path)
        assert (record.name, record.fs_hz, record.leads) == ("night", 250.0, ("II",))
        # in steps of 16 bits over -2 to 2 mV
        np.testing.assert_allclose(record.x_mv[0], np.linspace(-1, 1, 2500), atol=4 / 65535)
        assert record.lsb_mv == pytest.approx(4 / 65535)


def test_leads_of_an_edf_file_at_two_rates_are_refused(tmp_path):
    file = write_edf(tmp_path / "x.edf", ("ECG I", "mV", 250, 1), ("ECG II", "mV", 500, 1))
    with pytest.raises(BadRecord, match="different rates"):
        read_record(file)
    assert read_record(file, ["II"]).fs_hz == 500.0


@pytest.mark.parametrize("keep", [0, 100, 400])
def test_an_edf_file_that_is_none_or_cut_short_is_told(tmp_path, keep):
    file = write_edf(tmp_path / "x.edf", ("ECG", "mV", 250, 1))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BadRecord, match=r"x\.edf"):
        read_record(file)


# -- what is wrong with a record -------------------------------------------------------------------


def test_a_record_that_is_missing(tmp_path):
    with pytest.raises(BadRecord, match=r"100: no such record; looked for 100\.hea and 100\.edf"):
        read_record(tmp_path / "100")


def test_signals_that_are_missing(small_record):
    small_record.with_suffix(".dat").unlink()
    with pytest.raises(BadRecord, match="missing, cut short or damaged"):
        read_record(small_record)


def test_signals_that_are_cut_short(small_record):
    file = small_record.with_suffix(".dat")
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(BadRecord, match=r"small\.hea.*cut short"):
        read_record(small_record)


@pytest.mark.parametrize("text", ["", "no header\n", "\0\xff\n", "r x 360 100\n"])
def test_a_header_that_is_none(tmp_path, text):
    (tmp_path / "r.hea").write_text(text)
    with pytest.raises(BadRecord, match=r"r\.hea"):
        read_record(tmp_path / "r")


def test_a_record_without_ecg(tmp_path):
    path = write_wfdb(tmp_path, sig_name=["ABP", "RESP"], units=["mmHg", "mV"])
    with pytest.raises(BadRecord, match="no ECG lead among ABP, RESP"):
        read_record(path)


def test_a_lead_that_there_is_not(small_record):
    with pytest.raises(BadRecord, match="no lead 'V6'; there are MLII, v1"):
        read_record(small_record, ["V6"])


def test_signals_that_are_not_calibrated_are_not_guessed_at(tmp_path):
    path = write_wfdb(tmp_path)
    edit(path.with_suffix(".hea"), " 200.0(24)/mV", " 0(24)/mV")
    with pytest.raises(BadRecord, match="MLII: gain 0 or none"):
        read_record(path)
    assert read_record(path, ["V1"]).leads == ("V1",)
    record = read_record(path, uncalibrated_gain=100)
    np.testing.assert_allclose(record.x_mv[0], (STEPS[0] - 24) / 100, rtol=1e-6)


# -- which records ---------------------------------------------------------------------------------


def test_folders_globs_lists_and_records_each_once(tmp_path):
    for name in ("a1", "a2", "b1"):
        write_wfdb(tmp_path, name)
    write_edf(tmp_path / "night.edf", ("ECG", "mV", 250, 1))
    (tmp_path / "a1.atr").write_bytes(b"\0\0")

    def names(*paths: str) -> list[str]:
        return [path.name for path in find_records(f"{tmp_path}/{path}" for path in paths)]

    assert names("") == ["a1", "a2", "b1", "night"]
    assert names("b1", "a1.hea", "a1.dat", "b1") == ["b1", "a1"]
    assert names("a*") == ["a1", "a2"]
    (tmp_path / "RECORDS").write_text("b1\na2\n")
    assert names("") == names("RECORDS") == ["b1", "a2"]
    for wrong in ("c*", "c1", "a1.atr"):
        with pytest.raises(BadRecord, match="no "):
            names(wrong)


# -- names and units -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [("avf", "aVF"), ("EKG-V1", "V1"), ("Lead II", "II"), (" mlii ", "MLII"), ("CM5", "CM5")],
)
def test_variants_of_a_leads_name(name, expected):
    assert standard_name(name) == expected


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1), ("uV", 1e-3), ("µV", 1e-3), ("", 1)])
def test_units_in_millivolts(unit, factor):
    assert to_millivolt(unit) == factor


def test_a_position_is_no_name_of_another_lead():
    assert choose_leads(["2", "1"], ["mV", "mV"], ["1"], "x") == [(1, "1")]


# -- written and read again ------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    steps=st.lists(st.integers(-32000, 32000) | st.none(), min_size=1, max_size=50),
    lsb_mv=st.floats(1e-4, 0.1),
)
def test_a_record_is_read_as_it_was_written(tmp_path_factory, steps, lsb_mv):
    x_mv = np.array([[np.nan if s is None else s * lsb_mv for s in steps]], np.float32)
    record = Record("w", 257.0, ("II",), x_mv, lsb_mv, 1_500_000_000_000_000_000, ("a word",))
    again = read_record(write_record(record, tmp_path_factory.mktemp("w")))
    np.testing.assert_allclose(again.x_mv, x_mv, atol=lsb_mv / 2, rtol=1e-5)
    assert (again.fs_hz, again.leads, again.start_ns) == (257.0, ("II",), record.start_ns)
    assert again.comments == record.comments


def test_a_record_too_high_for_its_resolution_is_written_in_coarser_steps(tmp_path):
    x_mv = np.array([[-500.0, 0.0, 500.0]], np.float32)
    again = read_record(write_record(Record("w", 250.0, ("II",), x_mv, 0.001), tmp_path))
    np.testing.assert_allclose(again.x_mv, x_mv, atol=500 / 32767)


@pytest.mark.parametrize("name", ["a b", "a/b", ""])
def test_a_name_that_wfdb_has_not_is_refused(tmp_path, name):
    with pytest.raises(BadRecord, match="cannot be written"):
        write_record(Record(name, 250.0, ("II",), np.zeros((1, 9), np.float32)), tmp_path)


def test_annotations_are_read_as_they_were_written(tmp_path):
    marks = Annotations(
        np.array([10, 10, 400, 900, 5000, 900_000]),
        ("+", "N", "V", "~", "~", "N"),
        ("(AFIB", "", "", "", "", ""),
        (0, 0, 0, 0x30, 0, 0),
    )
    write_annotations(marks, tmp_path / "r", "trh", 360.0)
    again = read_annotations(tmp_path / "r", "trh")
    np.testing.assert_array_equal(again.sample, marks.sample)
    assert (again.symbol, again.aux) == (marks.symbol, marks.aux)
    assert [s & 0x3F for s in again.subtype] == list(marks.subtype)
    slow = read_annotations(tmp_path / "r", "trh", fs_hz=180.0)
    np.testing.assert_array_equal(slow.sample, marks.sample // 2)


def test_no_annotations_at_all_are_written_too(tmp_path):
    none = Annotations(np.empty(0, np.int64), (), ())
    write_annotations(none, tmp_path / "r", "trh", 360.0)
    assert read_annotations(tmp_path / "r", "trh").symbol == ()


@pytest.mark.parametrize(
    ("sample", "symbol"), [([500, 400], ("N", "N")), ([400], ("?!",)), ([-5], ("N",))]
)
def test_marks_that_wfdb_has_not_are_refused(tmp_path, sample, symbol):
    marks = Annotations(np.array(sample), symbol, ("",) * len(symbol))
    with pytest.raises(BadRecord, match=r"r\.trh: cannot be written"):
        write_annotations(marks, tmp_path / "r", "trh", 360.0)


def test_an_annotation_file_that_is_missing_or_none(small_record):
    with pytest.raises(BadRecord, match=r"small\.atr: no such annotation file"):
        read_annotations(small_record)
    small_record.with_suffix(".atr").write_bytes(b"\x01")
    with pytest.raises(BadRecord, match=r"small\.atr: not a WFDB annotation file"):
        read_annotations(small_record)


def test_rate_and_length_of_a_record(small_record):
    assert read_length(small_record) == (360.0, 3600)
    with pytest.raises(BadRecord, match="no such header"):
        read_length(small_record.with_name("gone"))


def test_real_records_read_as_wfdb_reads_them(real_data):
    for path in ("mitdb/208", "cinc2015/a103l", "cinc2017/A00001", "ludb/1"):
        found = sorted((real_data / path).parent.rglob("*.hea"))[0].with_suffix("")
        record = read_record(found)
        theirs = wfdb.rdrecord(str(found))
        columns = [
            theirs.sig_name.index(n) for n in theirs.sig_name if standard_name(n) in record.leads
        ]
        np.testing.assert_allclose(record.x_mv.T, theirs.p_signal[:, columns], atol=1e-5)
