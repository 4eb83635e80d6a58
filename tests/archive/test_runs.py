"""EC57's comparison of runs, rule by rule on a few beats."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive.read import read_annotations
from archive.runs import compare_runs, total_runs
from ecg import Annotations
from ecg.codes import BEAT_CODES

FS_HZ = 100.0
START = 30_000  # sample at which the learning period ends


def row(symbols, start=START + 100, step=80, aux=None):
    """An annotator with a mark every 0.8 s."""
    sample = np.arange(len(symbols), dtype=np.int64) * step + start
    return Annotations(sample, tuple(symbols), tuple(aux or ("",) * len(symbols)))


def cells(reference, test, of="V"):
    line = compare_runs(reference, test, FS_HZ, 0, of).line()
    return {name: count for name, count in line.items() if count}


def test_a_couplet_that_was_found():
    assert cells(row("NVVN"), row("NVVN")) == {"CTs": 1, "CTp": 1}


def test_a_single_beat_is_no_run_of_interest():
    assert cells(row("NVNNVN"), row("NVNNVN")) == {}


def test_a_couplet_of_which_one_beat_was_found_is_missed():
    assert cells(row("NVVN"), row("NVNN")) == {"CFN": 1}


def test_a_couplet_that_is_none():
    assert cells(row("NVNN"), row("NVVN")) == {"CFP": 1}


def test_a_couplet_told_as_a_longer_run_is_found_but_that_run_is_not_one():
    assert cells(row("NNVVNNN"), row("NNVVVNN")) == {"CTs": 1, "SFP": 1}


def test_short_runs_have_three_to_five_beats_and_long_ones_six_and_more():
    both = row("NVVVNVVVVVNVVVVVVNVVVVVVVVN")
    assert cells(both, both) == {"STs": 2, "STp": 2, "LTs": 2, "LTp": 2}


def test_fusion_beats_go_on_with_a_run():
    assert cells(row("NVFVN"), row("NVVVN")) == {"STs": 1, "STp": 1}


def test_a_supraventricular_beat_ends_a_ventricular_run():
    assert cells(row("NVVSVVN"), row("NVVSVVN")) == {"CTs": 2, "CTp": 2}


def test_fibrillation_is_the_longest_run():
    reference = row("NN[!!!!]NN")
    assert cells(reference, row("NNVVVVVVNN")) == {"LTs": 1, "LTp": 1}
    assert cells(reference, row("NNVVNNNNNN")) == {"LFN": 1, "CTp": 1}


def test_runs_before_the_end_of_the_learning_period_are_left_out():
    early = row("NVVN", start=START - 1000)
    assert cells(early, early) == {}


def test_supraventricular_runs_and_atrial_fibrillation():
    assert cells(row("NSSSN"), row("NSSNN"), "S") == {"SFN": 1, "CTp": 1}
    aux = ["", "(AFIB", *[""] * 6, "(N", "", ""]
    in_af = row("N+NNNNNN+NN", aux=aux)  # beats in it are supraventricular, six of them
    assert cells(in_af, row("NNSSSSSSNNN"), "S") == {"LTs": 1, "LTp": 1}
    assert cells(in_af, row("NNSSSNNNNNN"), "S") == {"LFN": 1, "STp": 1}


@given(st.text(alphabet=BEAT_CODES + "[]", max_size=60), st.sampled_from("VS"))
def test_an_annotator_agrees_with_itself(symbols, of):
    table = compare_runs(row(symbols), row(symbols), FS_HZ, 0, of)
    line = table.line()
    assert not any(line[name + wrong] for name in "CSL" for wrong in ("FN", "FP"))


@given(st.text(alphabet="NVSFQ", max_size=60), st.text(alphabet="NVSFQ", max_size=60))
def test_every_run_that_ended_is_counted_once(reference, test):
    table = compare_runs(row(reference), row(test), FS_HZ, 0)
    for symbols, counts in ((reference, table.sensitivity), (test, table.predictivity)):
        ended = "".join("v" if s in "VF" else "n" for s in symbols).split("n")[:-1]
        assert counts.sum() == sum(1 for run in ended if run)


def test_totals_are_sums():
    table = compare_runs(row("NVVN"), row("NVVN"), FS_HZ, 0)
    assert total_runs([table, table]).line()["CTs"] == 2
    assert total_runs([table]).figures()["couplet_se"] == 100.0


def test_an_annotator_of_real_records_agrees_with_itself(real_data):
    marks = read_annotations(real_data / "mitdb" / "207")
    line = compare_runs(marks, marks, 360.0, 650_000).line()
    assert line["LTs"] > 0
    assert not any(line[name + wrong] for name in "CSL" for wrong in ("FN", "FP"))
