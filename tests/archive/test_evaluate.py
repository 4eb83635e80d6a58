"""EC57's comparison: rule by rule on a few beats, then cell by cell against WFDB's `bxb`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evaluate import CLASSES, average, compare, total
from archive.read import read_annotations
from ecg import Annotations
from ecg.codes import BEAT_CODES

FS_HZ = 100.0
START = 30_000  # sample at which the learning period ends
SHUTDOWN, RESUME = 0x30, 0


def pairs(table):
    """Cells that are not empty, as EC57 writes them: `{'Nn': 2}`."""
    rows, columns = np.nonzero(table.counts)
    return {
        CLASSES[i] + CLASSES[j].lower(): int(table.counts[i, j])
        for i, j in zip(rows, columns, strict=True)
    }


@pytest.mark.parametrize(("apart", "expected"), [(15, {"Nv": 1}), (16, {"No": 1, "Ov": 1})])
def test_labels_within_150_ms_are_of_the_same_beat(beats, apart, expected):
    table = compare(beats([31_000], "N"), beats([31_000 + apart], "V"), FS_HZ, 40_000)
    assert pairs(table) == expected


def test_of_two_labels_near_a_beat_the_nearer_one_counts(beats):
    table = compare(beats([31_000], "N"), beats([30_990, 31_004], "VN"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 1, "Ov": 1}


def test_of_two_beats_near_a_label_the_nearer_one_is_found(beats):
    table = compare(beats([31_000, 31_012], "VN"), beats([31_010], "N"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 1, "Vo": 1}


def test_the_first_five_minutes_are_left_out(beats):
    table = compare(beats([100, 20_000, 31_000], "NVN"), beats([200, 31_000], "VN"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 1}


def test_a_beat_just_behind_the_start_may_pair_with_a_label_before_it(beats):
    table = compare(beats([START + 2], "N"), beats([START - 3, START + 90], "NN"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 1, "On": 1}


def test_a_label_just_behind_the_start_may_be_of_a_beat_before_it(beats):
    table = compare(
        beats([START - 3, START + 90], "NN"), beats([START + 2, START + 90], "NN"), FS_HZ, 40_000
    )
    assert pairs(table) == {"Nn": 1}


def test_labels_behind_the_end_are_left_out(beats):
    table = compare(beats([31_000, 40_100], "NN"), beats([31_000, 40_100], "NN"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 1}


def test_without_a_known_length_the_reference_tells_the_end(beats):
    table = compare(beats([31_000, 40_100], "NN"), beats([31_000, 40_100], "NN"), FS_HZ, 0)
    assert pairs(table) == {"Nn": 2}


def test_labels_in_fibrillation_of_the_reference_do_not_count(beats):
    reference = beats([31_000, 31_100, 31_200, 32_000, 32_100], "N[!]N")
    test = beats([31_000, 31_050, 31_150, 31_300, 31_900, 32_100], "NVVVNN")
    assert pairs(compare(reference, test, FS_HZ, 40_000)) == {"Nn": 2, "Ov": 1}


def test_beats_in_a_shutdown_of_the_test_are_missed_as_x(beats):
    test = beats([31_000, 31_050, 31_300, 31_400], "N~~N", (0, SHUTDOWN, RESUME, 0))
    table = compare(beats([31_000, 31_100, 31_200, 31_400], "NNVN"), test, FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 2, "Nx": 1, "Vx": 1}
    assert table.shutdown_s == 2.5


def test_labels_in_a_shutdown_of_the_reference_are_x(beats):
    reference = beats([31_000, 31_050, 31_300, 31_400], "N~~N", (0, SHUTDOWN, RESUME, 0))
    table = compare(reference, beats([31_000, 31_200, 31_400], "NVN"), FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 2, "Xv": 1}


def test_one_mark_amid_a_shutdown_reaches_from_beat_to_beat_as_in_the_aha_database(beats):
    test = beats([31_000, 31_150, 31_400], "N~N", (0, SHUTDOWN, 0))
    table = compare(beats([31_000, 31_020, 31_380, 31_400], "NNNN"), test, FS_HZ, 40_000)
    assert pairs(table) == {"Nn": 2, "Nx": 2}
    assert table.shutdown_s == pytest.approx(3.7)  # 31_015 to 31_385


def test_shutdown_that_does_not_end_lasts_to_the_end_of_the_record(beats):
    test = beats([31_000, 39_000], "N~", (0, SHUTDOWN))
    table = compare(beats([31_000, 39_500], "NN"), test, FS_HZ, 40_000)
    assert (pairs(table), table.shutdown_s) == ({"Nn": 1, "Nx": 1}, 10.0)


@pytest.mark.parametrize(
    ("symbols", "aami"), [("NLRB", "N"), ("AaJSejn", "S"), ("VrE", "V"), ("F", "F"), ("/fQ?", "Q")]
)
def test_every_beat_code_has_its_class(beats, symbols, aami):
    marks = beats([31_000 + 100 * i for i in range(len(symbols))], symbols)
    assert pairs(compare(marks, marks, FS_HZ, 40_000)) == {aami + aami.lower(): len(symbols)}


def test_calling_fusion_ventricular_is_no_false_positive(beats):
    table = compare(beats([31_000, 31_100], "VF"), beats([31_000, 31_100], "VV"), FS_HZ, 40_000)
    assert (table.v_se, table.v_ppv) == (1.0, 1.0)


def test_figures_that_nothing_defines_are_nan(beats):
    table = compare(beats([], ""), beats([], ""), FS_HZ, 40_000)
    assert all(math.isnan(x) for name, x in table.figures().items() if name != "shutdown_s")


def test_rr_error_compares_intervals_that_end_at_a_pair(beats):
    reference, test = beats([31_000, 31_100, 31_200], "NNN"), beats([31_000, 31_103, 31_200], "NNN")
    assert compare(reference, test, FS_HZ, 40_000).rr_rms_ms == pytest.approx(30.0)


def test_delays_are_told_without_their_median(beats):
    reference = beats([31_000, 32_000, 33_000, 34_000, 35_000], "NNNNV")
    test = beats([31_005, 32_005, 33_005, 34_007, 35_011], "NNNNV")
    table = compare(reference, test, FS_HZ, 40_000)
    assert table.delay_s == pytest.approx([0, 0, 0, 0.02, 0.06])
    assert table.delay_sd_ms(only_n=True) == pytest.approx(1e3 * np.std([0, 0, 0, 0.02]))
    assert table.delay_p95_ms() == pytest.approx(1e3 * np.percentile([0, 0, 0, 0.02], 95))


def test_gross_counts_beats_and_average_counts_records(beats):
    full = compare(beats([31_000] * 1, "N"), beats([31_000], "N"), FS_HZ, 40_000)
    half = compare(
        beats(list(range(31_000, 31_900, 100)), "N" * 9), beats([31_000], "N"), FS_HZ, 40_000
    )
    assert total([full, half]).q_se == pytest.approx(2 / 10)
    assert average([full, half])["q_se"] == pytest.approx(100 * (1 + 1 / 9) / 2)
    assert math.isnan(average([full, half])["v_se"])


@st.composite
def annotators(draw):
    # a label without a partner just behind the start would be left out
    samples = sorted(draw(st.sets(st.integers(16, 5_000), max_size=60)))
    symbols = draw(st.lists(st.sampled_from(BEAT_CODES), min_size=len(samples),
                            max_size=len(samples)))  # fmt: skip
    return Annotations(np.array(samples, np.int64), tuple(symbols), ("",) * len(samples))


@given(reference=annotators(), test=annotators())
def test_every_beat_and_every_label_is_counted_once(reference, test):
    table = compare(reference, test, FS_HZ, 5_000, learning_s=0)
    assert table.counts[:5].sum() == len(reference.symbol)
    assert table.counts[:, :5].sum() == len(test.symbol)


@given(reference=annotators())
def test_an_annotator_agrees_with_itself(reference):
    table = compare(reference, reference, FS_HZ, 5_000, learning_s=0)
    assert table.counts.sum() == np.trace(table.counts) == len(reference.symbol)
    assert not table.delay_s.any()


# ------------------------------------------------------- against WFDB's own bxb and sumstats

ANNOTATORS = ("eplimited", "gqrs", "xqrs", "sleepecg", "neurokit")
SHOWN = ("q_se", "q_ppv", "v_se", "v_ppv", "s_se", "s_ppv", "rr_rms_ms")


def shown(figures, names=SHOWN):
    return ["-" if math.isnan(figures[name]) else f"{figures[name]:.2f}" for name in names]


@pytest.fixture(scope="module", params=ANNOTATORS)
def compared(request, real_data, reference):
    """An annotator, and the tables of its records in the order of bxb's."""
    name = request.param
    records = [row.split()[0] for row in lines(reference / "ec57" / f"{name}.bxb.txt")[1:]]
    tables = {
        record: compare(
            read_annotations(real_data / "mitdb" / record),
            read_annotations(reference / "annotations" / record, name),
            360,
            650_000,
        )
        for record in records
    }
    return name, tables


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_every_cell_is_that_of_bxb(compared, reference):
    name, tables = compared
    for row in lines(reference / "ec57" / f"{name}.bxb.txt")[1:]:
        record, *cells = row.split()
        table = tables[record]
        ours = [str(count) for count in table.line().values()] + shown(table.figures())
        assert ours == cells, record


def test_shutdown_is_that_of_bxb(compared, reference):
    name, tables = compared
    for row in lines(reference / "ec57" / f"{name}.runs.txt")[2:]:
        record, *missed = row.split()[:6]
        seconds = row.split(" seconds")[0].split()[-1]
        table = tables[record]
        assert [str(n) for n in table.counts[:5, CLASSES.index("X")]] == missed, record
        assert f"{table.shutdown_s:.0f}" == seconds, record


def test_totals_are_those_of_sumstats(compared, reference):
    name, tables = compared
    summary = {row.split()[0]: row.split()[1:] for row in lines(
        reference / "ec57" / f"{name}.summary.txt") if row.strip()}  # fmt: skip
    gross = total(tables.values())
    assert [str(count) for count in gross.line().values()] == summary["Sum"]
    assert shown(gross.figures(), SHOWN[:6]) == summary["Gross"]
    assert shown(average(tables.values())) == summary["Average"]


def test_delays_are_those_of_the_reference_results(compared, reference):
    name, tables = compared
    row = next(r for r in lines(reference / "README.md") if r.startswith(f"| `{name}`"))
    cells = [text.strip() for text in row.split("|")]
    gross = total(tables.values())
    assert f"{gross.delay_sd_ms():.1f} / {gross.delay_sd_ms(only_n=True):.1f}" == cells[7]
    assert f"{gross.delay_p95_ms():.1f}" == cells[8]
