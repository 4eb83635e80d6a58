"""The beds: each with a place, a patient and a device that no other has."""

from __future__ import annotations

import re

import pytest

from ecg import BadSetting
from ingest.registry import Bed, Registry

ONE = Bed("icu", "1", "p-1", "site/one")
TWO = Bed("icu", "2", "p-2", "site/two", "Window", "simulated")


def test_beds_come_in_the_order_in_which_they_were_named():
    registry = Registry(iter([TWO, ONE]))
    assert list(registry) == [TWO, ONE]
    assert len(registry) == 2


def test_a_device_leads_to_its_bed_an_unknown_one_to_none():
    registry = Registry([ONE, TWO])
    assert registry.at_device("site/two") is TWO
    assert registry.at_device("site/three") is None


def test_no_beds_are_possible():
    assert list(Registry([])) == []


def test_beds_of_different_wards_may_have_one_number():
    assert len(Registry([ONE, Bed("ccu", "1", "p-2", "site/two")])) == 2


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Bed("icu", "2", "p-2", "site/one"), "device site/one is at bed icu/1 and at bed icu/2"),
        (Bed("icu", "1", "p-2", "site/two"), "bed icu/1 is there twice, with device site/one and "
         "with device site/two"),
        (Bed("ccu", "7", "p-1", "site/two"), "patient p-1 is in bed icu/1 and in bed ccu/7"),
        (ONE, "bed icu/1 is there twice"),
    ],
)  # fmt: skip
def test_two_that_would_mix_are_refused_both_are_named(other, told):
    with pytest.raises(BadSetting, match=re.escape(told)):
        Registry([ONE, other])
