"""The rhythm that a tile shows."""

import math

import numpy as np
import pytest

from ecg import EPISODE, VITALS, Findings
from ecg.codes import EpisodeKind, QualityCode
from telerhythm.rhythm_now import URGENT_FIRST, RhythmNow

USABLE, FLAT, OFF = [QualityCode.USABLE], [QualityCode.FLAT], [QualityCode.LEAD_OFF]


def findings(*episodes, hr_bpm=70.0, af_burden=0.0):
    """Episodes as (kind, end sample); -1 while it goes on."""
    rows = np.zeros(len(episodes), EPISODE)
    for row, (kind, end) in zip(rows, episodes, strict=True):
        row["kind"], row["end"] = kind, end
    vitals = np.zeros(1, VITALS)
    vitals["hr_bpm"], vitals["af_burden"] = hr_bpm, af_burden
    return Findings(vitals=vitals, episodes=rows)


def test_a_rhythm_is_told_from_its_begin_to_its_end():
    now = RhythmNow()
    now.take(findings((EpisodeKind.AF, -1)))
    assert now.told(USABLE) == ("(AFIB",)
    now.take(findings())
    assert now.told(USABLE) == ("(AFIB",)
    now.take(findings((EpisodeKind.AF, 9000)))
    assert now.told(USABLE) == ()


def test_the_most_urgent_of_several_stands_first():
    now = RhythmNow()
    now.take(findings((EpisodeKind.BIGEMINY, -1), (EpisodeKind.AF, -1), (EpisodeKind.VT, -1)))
    assert now.told(USABLE) == ("(VT", "(AFIB", "(B")


def test_a_lethal_rhythm_stands_alone_whatever_went_on_when_it_began():
    now = RhythmNow()
    now.take(findings((EpisodeKind.SINUS_BRADYCARDIA, -1), (EpisodeKind.ASYSTOLE, -1)))
    assert now.told(USABLE) == ("(ASYS",)


def test_until_the_detector_has_learned_nothing_is_told():
    now = RhythmNow()
    now.take(findings((EpisodeKind.PACED, -1), hr_bpm=math.nan, af_burden=math.nan))
    assert now.told(USABLE) is None


def test_none_is_told_only_when_atrial_fibrillation_can_be_excluded():
    now = RhythmNow()
    now.take(findings(af_burden=math.nan))
    assert now.told(USABLE) is None
    now.take(findings((EpisodeKind.BIGEMINY, -1), af_burden=math.nan))
    assert now.told(USABLE) == ("(B",)
    now.take(findings((EpisodeKind.BIGEMINY, 900)))
    assert now.told(USABLE) == ()


@pytest.mark.parametrize("quality", [FLAT, OFF, [QualityCode.NOISY, QualityCode.FLAT]])
def test_without_a_usable_lead_only_what_kills_is_told(quality):
    now = RhythmNow()
    now.take(findings((EpisodeKind.AF, -1)))
    assert now.told(quality) is None
    now.take(findings((EpisodeKind.ASYSTOLE, -1)))
    assert now.told(quality) == ("(ASYS",)


def test_one_usable_lead_is_enough():
    now = RhythmNow()
    now.take(findings((EpisodeKind.AF, -1)))
    assert now.told([QualityCode.LEAD_OFF, QualityCode.USABLE]) == ("(AFIB",)


def test_every_kind_but_noise_has_its_place_and_words():
    assert {*URGENT_FIRST} == {*EpisodeKind} - {EpisodeKind.NOISE}
    assert len({kind.label for kind in EpisodeKind}) == len(EpisodeKind)
