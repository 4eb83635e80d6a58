"""AV block: told where P waves stand without QRS complexes, and only there."""

from __future__ import annotations

import pytest

from archive.analysis import analyze_record
from dsp.synth import CompleteBlock, Mobitz2, Noise, Patient, Pause, Sinus, Wenckebach, simulate
from ecg import Record
from ecg.codes import EpisodeKind

NOISE = (Noise("baseline", rms_mv=0.03), Noise("muscle", rms_mv=0.008))


def analysed(segments, seed=1, leads=("II", "V1"), patient=None):
    made = simulate(segments, leads=leads, seed=seed, noise=NOISE, patient=patient)
    return analyze_record(made.record), made.record.fs_hz


def kinds(found):
    return {EpisodeKind(kind) for kind in found.episodes["kind"]}


@pytest.mark.parametrize("leads", [("II", "V1"), ("II",)])
@pytest.mark.parametrize(
    "block",
    [
        Wenckebach(40, bpm=75),
        Mobitz2(40, bpm=78, ratio=3),
        Mobitz2(40, bpm=84, ratio=2),
    ],
)
def test_dropped_beats_are_second_degree_block(block, leads):
    found, fs_hz = analysed([Sinus(20, bpm=72), block, Sinus(30, bpm=72)], leads=leads)
    assert kinds(found) == {EpisodeKind.AV_BLOCK_2}
    (episode,) = found.episodes
    assert episode["onset"] / fs_hz == pytest.approx(20, abs=5)
    assert episode["end"] / fs_hz == pytest.approx(60, abs=5)
    assert episode["evidence"][0] >= 8  # P waves that were not conducted
    assert episode["confidence"] > 0.85


def test_wide_beats_may_be_blocked_too():
    block = Mobitz2(40, bpm=78, ratio=2)
    found, _ = analysed([block], patient=Patient(shape="rbbb", qrs_ms=125))
    assert kinds(found) == {EpisodeKind.AV_BLOCK_2}


@pytest.mark.parametrize("leads", [("II", "V1"), ("II",)])
@pytest.mark.parametrize("bpm", [42, 44])
def test_atria_and_ventricles_that_do_not_heed_each_other_are_third_degree_block(bpm, leads):
    block = CompleteBlock(60, bpm=bpm, atrial_bpm=78, escape="junction")
    found, fs_hz = analysed([Sinus(20, bpm=72), block, Sinus(30, bpm=72)], leads=leads)
    (episode,) = found.episodes[found.episodes["kind"] == EpisodeKind.AV_BLOCK_3]
    assert episode["onset"] / fs_hz == pytest.approx(20, abs=11)
    assert episode["end"] / fs_hz == pytest.approx(80, abs=11)
    assert episode["evidence"][1] == pytest.approx(78, abs=2)
    assert episode["evidence"][2] == pytest.approx(bpm, abs=2)


@pytest.mark.parametrize("leads", [("II", "V1"), ("V5",)])
def test_wide_escape_beats_with_long_t_waves_hide_no_p_waves(leads):
    block = CompleteBlock(60, bpm=34, atrial_bpm=80, escape="ventricle")
    found, fs_hz = analysed([Sinus(20, bpm=72), block], leads=leads)
    (episode,) = found.episodes[found.episodes["kind"] == EpisodeKind.AV_BLOCK_3]
    assert episode["onset"] / fs_hz == pytest.approx(20, abs=11)
    assert episode["evidence"][1] == pytest.approx(80, abs=2)


def test_complete_block_goes_on_when_another_escape_rhythm_takes_over():
    block = [
        CompleteBlock(30, bpm=42, atrial_bpm=80, escape="junction"),
        CompleteBlock(40, bpm=34, atrial_bpm=80, escape="ventricle"),
    ]
    found, fs_hz = analysed(block)
    (episode,) = found.episodes[found.episodes["kind"] == EpisodeKind.AV_BLOCK_3]
    assert episode["onset"] / fs_hz <= 10
    assert episode["end"] == -1
    second = found.episodes[found.episodes["kind"] == EpisodeKind.AV_BLOCK_2]
    assert (second["end"] == second["onset"]).all()  # taken back


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "segments",
    [
        [Sinus(60, bpm=42)],
        [Sinus(60, bpm=50, hrv=0.1)],
        [Sinus(20), Pause(1.6), Sinus(5), Pause(1.6), Sinus(5), Pause(1.6), Sinus(20)],
        [Sinus(60, bpm=55, pattern="NNNV")],
    ],
)
def test_slow_hearts_and_pauses_are_no_block(segments, seed):
    found, _ = analysed(segments, seed)
    assert not kinds(found) & {EpisodeKind.AV_BLOCK_2, EpisodeKind.AV_BLOCK_3}


@pytest.mark.parametrize("name", ["124", "108", "115"])
def test_slow_patients_without_block(real, name):
    x, fs_hz, _ = real(name, 0, 400)
    found = analyze_record(Record(name, fs_hz, ("A", "B"), x))
    assert not kinds(found) & {EpisodeKind.AV_BLOCK_2, EpisodeKind.AV_BLOCK_3}
