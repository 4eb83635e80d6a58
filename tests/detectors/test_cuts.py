"""Findings are the same to the bit however the stream is cut, saved and restored, or banked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Analyzer, Bank
from ecg import BadSignal, Findings

LEADS = ("II", "V5")
SIMULATED = ("regular", "irregular with a gap", "noise")
REAL = ("119", "203", "208")


@pytest.fixture(scope="module")
def signals(heart):
    rng = np.random.default_rng(3)
    regular, _ = heart(np.full(40, 0.8))
    irregular, _ = heart(rng.uniform(0.4, 1.3, 40))
    made = {
        "regular": np.concatenate([regular, -0.5 * regular]),
        "irregular with a gap": np.concatenate([irregular, 0.3 * irregular]),
        "noise": rng.normal(0.0, 0.3, (2, 9000)).astype(np.float32),
    }
    made["irregular with a gap"][0, 2500:4000] = np.nan
    return made


def check(x, cuts, restore_at):
    whole = Analyzer(360.0, LEADS, start_ns=10**18)
    expected = Findings.concat([whole.push(x), whole.finish()])
    analyzer = Analyzer(360.0, LEADS, start_ns=10**18)
    edges = [0, *sorted(min(c, x.shape[1]) for c in cuts), x.shape[1]]
    found = []
    for i, (a, b) in enumerate(itertools.pairwise(edges)):
        if i == restore_at:
            analyzer = Analyzer.restore(analyzer.state.tobytes())
        found.append(analyzer.push(x[:, a:b]))
    assert Findings.concat([*found, analyzer.finish()]) == expected


cut_points = st.lists(st.integers(0, 108_000), max_size=40)


@settings(max_examples=15, deadline=None)
@given(name=st.sampled_from(SIMULATED), cuts=cut_points, restore_at=st.integers(0, 40))
def test_simulated_streams_may_be_cut_anywhere(signals, name, cuts, restore_at):
    check(signals[name], [c % 12_000 for c in cuts], restore_at)


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(REAL), cuts=cut_points, restore_at=st.integers(0, 40))
def test_real_streams_may_be_cut_anywhere(real, name, cuts, restore_at):
    x, _, _ = real(name, 600, 900)
    check(x, cuts, restore_at)


def test_single_samples_are_as_good_as_one_push(signals):
    x = signals["irregular with a gap"][:, :5000]
    check(x, range(x.shape[1]), restore_at=1234)


def test_a_bank_finds_what_an_analyzer_finds(signals):
    bank = Bank(360.0, 2, capacity=3)
    parts = {0: [], 2: []}
    for begin in range(0, 9000, 500):
        chunks = {0: signals["regular"][:, begin : begin + 500]}
        if begin % 1000 == 0:
            chunks[2] = signals["noise"][:, begin : begin + 300]
        for place, found in bank.push(chunks).items():
            parts[place].append(found)
    expected = Analyzer(360.0, LEADS).push(signals["regular"][:, :9000])
    assert Findings.concat(parts[0]) == expected
    alone = Analyzer(360.0, LEADS)
    noise = [alone.push(signals["noise"][:, b : b + 300]) for b in range(0, 9000, 1000)]
    assert Findings.concat(parts[2]) == Findings.concat(noise)
    assert bank.take(2).finish() == alone.finish()


def test_a_patient_moves_from_an_analyzer_into_a_bank(signals):
    x = signals["regular"]
    analyzer, bank = Analyzer(360.0, LEADS), Bank(360.0, 2, capacity=2)
    first = analyzer.push(x[:, :4000])
    bank.place(1, analyzer)
    second = bank.push({1: x[:, 4000:]})[1]
    assert Findings.concat([first, second]) == Analyzer(360.0, LEADS).push(x)


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"no" + b[2:], lambda b: b""])
def test_a_blob_that_is_no_state_is_refused(damage):
    with pytest.raises(BadSignal, match="begin a new analysis"):
        Analyzer.restore(damage(Analyzer(250).state.tobytes()))


def test_a_blob_of_another_version_is_refused():
    state = Analyzer(250).state.copy()
    state["head"]["version"] += 1
    with pytest.raises(BadSignal, match="another version"):
        Analyzer.restore(state.tobytes())


def test_a_bank_takes_nobodys_samples_when_one_shape_is_wrong():
    bank = Bank(250.0, 1, capacity=2)
    with pytest.raises(BadSignal, match="place 1"):
        bank.push({0: np.zeros((1, 250), np.float32), 1: np.zeros((2, 250), np.float32)})
    assert bank.state["head"]["n_in"].tolist() == [0, 0]
