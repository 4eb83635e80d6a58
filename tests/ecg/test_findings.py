"""Findings: concatenation and equality to the bit."""

import numpy as np
import pytest

from ecg import BEAT, VITALS, Findings


def beats(*samples):
    rows = np.zeros(len(samples), BEAT)
    rows["sample"] = samples
    rows["rr_s"] = np.nan
    return rows


def test_pieces_put_together_equal_the_whole():
    whole = Findings(beats=beats(10, 20, 30), through_sample=40, quiet_sample=40)
    pieces = [Findings(beats=beats(10), through_sample=15)]
    pieces.append(Findings(through_sample=18, quiet_sample=44))  # a beat may be pending since
    pieces.append(Findings(beats=beats(20, 30), through_sample=40, quiet_sample=40))
    assert Findings.concat(pieces) == whole


def test_nothing_put_together_is_nothing():
    assert Findings.concat([]) == Findings()


def test_nan_equals_itself():
    assert Findings(beats=beats(1)) == Findings(beats=beats(1))


@pytest.mark.parametrize(("name", "value"), [("sample", 11), ("confidence", -0.0), ("code", 1)])
def test_a_single_bit_makes_a_difference(name, value):
    one, other = beats(10), beats(10)
    other[name] = value
    assert Findings(beats=one) != Findings(beats=other)


def test_how_far_it_reaches_makes_a_difference():
    assert Findings(through_sample=1) != Findings(through_sample=2)
    assert Findings(quiet_sample=1) != Findings(quiet_sample=2)


def test_bytes_between_the_fields_do_not_matter():
    one = np.zeros(1, VITALS)
    other = np.frombuffer(b"\0" * VITALS.itemsize, VITALS).copy()
    assert Findings(vitals=one) == Findings(vitals=other)


def test_other_things_are_not_findings():
    assert Findings() != 3
