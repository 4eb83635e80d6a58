"""A bed: frames in; rows, pictures, alarms out. No broker, no disk, no clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alerts.words import AlarmKind, Phase
from dsp.synth import demo_record
from ecg import MISSING, Frame, Record
from ecg.clock import NS
from ingest.misbehaviour import Misbehaviour, Misdeed, MisdeedKind
from ingest.player import Player
from ingest.registry import Bed
from ingest.sequence import MAX_GAP_S, WAIT_NS
from store.base import BeatRows, QualityRows, TransitionRow, VitalsRows, WaveformChunk
from telerhythm.bedside import Bedside
from telerhythm.desk import Outcome

T0 = 1_772_366_400_000_000_000
RUN = 1_000_000
BED = Bed("icu", "1", "p-1", "site/dev", "Window", "simulated")
DELAY_NS = NS // 50


@pytest.fixture(scope="module")
def sinus() -> Record:
    record = demo_record("sinus rhythm", minutes=1.0)
    return replace(record, leads=record.leads[:2], x_mv=record.x_mv[:2])


def frames_of(record: Record, frame_s: float = 0.5, boot: int = 1) -> list[Frame]:
    player = Player(BED.device, record, frame_s=frame_s, boot=boot)
    return [replace(frame, t_ns=T0 + frame.t_ns) for _, frame in player]


def feed(bedside: Bedside, frames) -> Outcome:
    """Frames as they are taken; all that came of them together."""
    together = Outcome()
    for frame in frames:
        add(together, bedside.take(frame, frame.end_ns + DELAY_NS))
    return together


def add(together: Outcome, outcome: Outcome) -> None:
    together.rows += outcome.rows
    together.frames += outcome.frames
    together.chunks += outcome.chunks
    together.transitions += outcome.transitions


def rows(outcome: Outcome, kind: type) -> list:
    return [row for row in outcome.rows if isinstance(row, kind)]


def beats(outcome: Outcome) -> np.ndarray:
    return np.concatenate([row.beats for row in rows(outcome, BeatRows)])


def raised(outcome: Outcome) -> list[AlarmKind]:
    return [t.kind for t in outcome.transitions if t.phase is Phase.RAISED]


def test_every_frame_is_stored_shown_and_told_to_be_acknowledged(sinus):
    frames = frames_of(sinus)
    outcome = feed(Bedside(BED, RUN), frames)
    chunks = rows(outcome, WaveformChunk)
    assert outcome.frames == [(1, seq) for seq in range(len(frames))]
    assert [(c.patient, c.device, c.boot, c.seq, c.t_ns) for c in chunks] == [
        ("p-1", BED.device, f.boot, f.seq, f.t_ns) for f in frames
    ]
    samples = 0
    for frame, stored, shown in zip(frames, chunks, outcome.chunks, strict=True):
        np.testing.assert_array_equal(stored.x, frame.x)
        np.testing.assert_array_equal(shown.x, frame.x)
        assert (shown.ward, shown.bed, shown.epoch) == ("icu", "1", RUN)
        assert (shown.sample, shown.t_ns, shown.leads) == (samples, frame.t_ns, frame.leads)
        samples += frame.n_samples


def test_beats_are_found_stored_with_the_times_of_the_frames_and_shown(sinus):
    outcome = feed(Bedside(BED, RUN), frames_of(sinus))
    found = beats(outcome)
    assert len(found) > 30
    np.testing.assert_allclose(found["t_ns"], T0 + found["sample"] / sinus.fs_hz * NS, atol=2)
    shown = [beat for chunk in outcome.chunks for beat in chunk.beats]
    assert [sample for sample, _ in shown] == found["sample"].tolist()
    assert {code for _, code in shown} <= set("NSVFQ")
    rr_s = np.diff(found["sample"]) / sinus.fs_hz
    assert outcome.chunks[-1].hr_bpm == pytest.approx(60 / np.median(rr_s[-8:]), rel=0.1)
    assert len(rows(outcome, VitalsRows)) > 30 and len(rows(outcome, QualityRows)) > 30
    assert len(outcome.chunks[-1].quality) == 2


def test_rhythm_and_ventricular_beats_of_the_last_minute_are_shown():
    outcome = feed(Bedside(BED, RUN), frames_of(demo_record("sinus rhythm with PVCs", minutes=1.5)))
    last = outcome.chunks[-1]
    codes = [(s / last.fs_hz, code) for c in outcome.chunks for s, code in c.beats]
    assert outcome.chunks[0].rhythms is None  # the detector has to learn first
    assert last.rhythms is not None and set(last.rhythms) <= {"(B", "(T"}
    now_s = last.sample / last.fs_hz
    counted = sum(code == "V" and at_s > now_s - 60 for at_s, code in codes)
    assert last.pvc_per_min == pytest.approx(counted, abs=2) and counted >= 2


def test_beats_of_a_pacemaker_are_shown_as_such():
    outcome = feed(Bedside(BED, RUN), frames_of(demo_record("paced", minutes=0.5)))
    codes = [code for chunk in outcome.chunks for _, code in chunk.beats]
    assert outcome.chunks[-1].rhythms == ("(P",)
    assert codes.count("/") > len(codes) / 2


def test_findings_are_the_same_however_long_the_frames_are(sinus):
    short, long = (
        beats(feed(Bedside(BED, RUN), frames_of(sinus, frame_s))) for frame_s in (0.1, 1.0)
    )
    n = min(len(short), len(long))
    assert n > 30
    for name in short.dtype.names:
        np.testing.assert_array_equal(short[name][:n], long[name][:n], err_msg=name)


def test_a_frame_that_waits_says_nothing_until_its_turn(sinus):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)[:4]
    feed(bedside, frames[:1])
    outcome = feed(bedside, frames[2:3])
    assert (outcome.rows, outcome.frames, outcome.chunks) == ([], [], [])
    outcome = feed(bedside, frames[1:2])
    assert outcome.frames == [(1, 1), (1, 2)]
    assert raised(outcome) == []


@pytest.mark.parametrize("lost_s", [1.0, 10.0, MAX_GAP_S + 5])
def test_a_gap_is_told_with_its_length_shown_and_given_to_the_analysis(sinus, lost_s):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)
    lost = round(lost_s / 0.5)
    feed(bedside, frames[:20])
    outcome = feed(bedside, [frames[20 + lost]])
    add(outcome, bedside.tick(frames[20 + lost].end_ns + DELAY_NS + WAIT_NS))
    (trouble,) = [t for t in outcome.transitions if t.kind is AlarmKind.BAD_DATA]
    assert f"{lost_s:.1f} s did not arrive" in trouble.text
    (chunk,) = outcome.chunks
    expected = (20 + lost) * frames[0].n_samples
    assert (chunk.sample, chunk.epoch - RUN) == ((expected, 0) if lost_s < MAX_GAP_S else (0, 1))
    assert chunk.t_ns == frames[20 + lost].t_ns
    # within the epoch the analysis counts as the chunks do: beats after the gap lie after it
    after = feed(bedside, frames[21 + lost : 33 + lost])
    shown = [s for c in after.chunks for s, _ in c.beats]
    assert shown and min(shown) >= chunk.sample - sinus.fs_hz
    behind_ns = (beats(after)["sample"] - chunk.sample) / sinus.fs_hz * NS
    np.testing.assert_allclose(beats(after)["t_ns"] - chunk.t_ns, behind_ns, atol=2)


@pytest.mark.parametrize("by_s", [-60, 60])
def test_a_clock_that_was_set_is_told_and_no_time_comes_twice(sinus, by_s):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)
    frames = [replace(f, t_ns=f.t_ns + by_s * NS * (f.seq >= 40)) for f in frames[:60]]
    outcome = Outcome()
    for seq, frame in enumerate(frames):
        add(outcome, bedside.take(frame, T0 + (seq + 1) * NS // 2 + DELAY_NS))
    assert raised(outcome) == [AlarmKind.CLOCK_WRONG]
    times = [c.t_ns for c in rows(outcome, WaveformChunk)]
    np.testing.assert_allclose(np.diff(times), NS / 2, rtol=0.01)
    assert (np.diff(beats(outcome)["t_ns"]) > 0).all()


def test_a_clock_that_is_ahead_of_ours_is_told(sinus):
    bedside, (frame, *_) = Bedside(BED, RUN), frames_of(sinus)
    assert raised(bedside.take(frame, frame.t_ns - 9 * NS)) == []
    (_, frame, *_) = frames_of(sinus)
    outcome = bedside.take(frame, frame.t_ns - 11 * NS)
    assert raised(outcome) == [AlarmKind.CLOCK_WRONG]
    assert "ahead" in outcome.transitions[0].text


def test_a_lead_without_contact_is_neither_stored_nor_drawn_nor_analysed(sinus):
    frames = [replace(f, lead_off=0b01) for f in frames_of(sinus)]
    frames[0].x[:] = 32767
    outcome = feed(Bedside(BED, RUN), frames)
    for frame, stored, shown in zip(
        frames, rows(outcome, WaveformChunk), outcome.chunks, strict=True
    ):
        for x in (stored.x, shown.x):
            assert (x[0] == MISSING).all()
            np.testing.assert_array_equal(x[1], frame.x[1])
    assert frames[0].x[0, 0] == 32767  # the frame itself is left as it was
    assert outcome.chunks[-1].quality[0] != outcome.chunks[-1].quality[1]


def test_a_restart_of_the_device_begins_a_new_picture_and_a_new_analysis(sinus):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)
    feed(bedside, frames[:40])
    again = [replace(f, t_ns=f.t_ns + 30 * NS) for f in frames_of(sinus, boot=2)[:40]]
    outcome = feed(bedside, again)
    assert [c.sample for c in outcome.chunks] == [i * again[0].n_samples for i in range(40)]
    assert {c.epoch for c in outcome.chunks} == {RUN + 1}
    t_ns = beats(outcome)["t_ns"]  # none where the device was away
    assert ((t_ns < frames[39].end_ns) | (t_ns >= again[0].t_ns)).all()


def test_what_the_store_has_already_is_not_stored_again(sinus):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)
    bedside.sequencer.resume(1, 9, frames[9].end_ns)
    outcome = feed(bedside, frames[5:12])
    assert outcome.frames == [(1, 10), (1, 11)]
    assert raised(outcome) == []


def test_silence_is_told_after_five_seconds_and_ends_with_the_next_frame(sinus):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)
    feed(bedside, frames[:4])
    last_ns = frames[3].end_ns + DELAY_NS
    assert raised(bedside.tick(last_ns + 4 * NS)) == []
    assert raised(bedside.tick(last_ns + 5 * NS)) == [AlarmKind.NO_DATA]
    outcome = bedside.take(frames[4], last_ns + 6 * NS)
    assert next((t.kind, t.phase) for t in outcome.transitions) == (
        AlarmKind.NO_DATA,
        Phase.ENDED,
    )
    assert next(row.phase for row in rows(outcome, TransitionRow)) == Phase.ENDED.value


def test_a_device_that_only_repeats_itself_is_silent(sinus):
    bedside, frames = Bedside(BED, RUN), frames_of(sinus)[:10]
    feed(bedside, frames)
    bedside.tick(frames[-1].end_ns)
    outcome = Outcome()
    for second in range(1, 7):
        now_ns = frames[-1].end_ns + second * NS
        add(outcome, bedside.take(frames[-1], now_ns))
        add(outcome, bedside.tick(now_ns))
    assert raised(outcome) == [AlarmKind.NO_DATA]


def test_the_last_beats_before_a_restart_are_not_forgotten(sinus):
    frames = frames_of(sinus)[:60]
    bedside = Bedside(BED, RUN)
    told = beats(feed(bedside, frames))["t_ns"].size
    again = [replace(f, boot=2, t_ns=f.t_ns + 60 * NS) for f in frames_of(sinus)[:1]]
    last = beats(feed(bedside, again))["t_ns"]
    assert told > 0
    assert last.size > 0  # those of the 0.6 s that an analysis stays behind
    assert (last < frames[-1].end_ns).all()


def test_whatever_the_device_does_each_frame_is_stored_once(sinus):
    ways = Misbehaviour(drop=0.05, duplicate=0.2, reorder=0.2, restart_every_s=20, seed=6)
    bedside, together, sent = Bedside(BED, RUN), Outcome(), set()
    for due_s, event in Player(BED.device, sinus, frame_s=0.2, misbehaviour=ways, boot=1):
        frame = event if isinstance(event, Frame) else event.frame
        if frame is None or (isinstance(event, Misdeed) and event.kind is MisdeedKind.DROPPED):
            continue
        sent.add((frame.boot, frame.seq))
        frame = replace(frame, t_ns=T0 + frame.t_ns)
        add(together, bedside.take(frame, T0 + round(due_s * NS) + DELAY_NS))
    add(together, bedside.tick(T0 + 62 * NS))
    assert sorted(together.frames) == sorted(sent)
    assert [(c.boot, c.seq) for c in rows(together, WaveformChunk)] == together.frames
    times = [c.t_ns for c in rows(together, WaveformChunk)]
    assert times == sorted(times)
    assert not bedside.sequencer.counts.late


def test_a_lead_that_carries_a_pulse_is_stored_and_drawn_but_no_ecg(sinus):
    """The ECG beside it is analysed as if it were alone; numbers of leads are the frame's."""
    alone = [
        replace(f, leads=f.leads[1:], lsb_uv=f.lsb_uv[1:], x=f.x[1:]) for f in frames_of(sinus)
    ]
    beside = [replace(f, leads=("PLETH", f.leads[1])) for f in frames_of(sinus)]
    one, two = feed(Bedside(BED, RUN), alone), feed(Bedside(BED, RUN), beside)
    np.testing.assert_array_equal(beats(one)["sample"], beats(two)["sample"])
    quality = np.concatenate([row.quality for row in rows(two, QualityRows)])
    assert set(quality["lead"]) == {1}
    assert rows(two, WaveformChunk)[0].leads == ("PLETH", sinus.leads[1])
    assert two.chunks[-1].leads == ("PLETH", sinus.leads[1])
    assert len(two.chunks[-1].quality) == 2


@pytest.mark.parametrize(("battery_pct", "alarm"), [(None, False), (10.0, False), (9.9, True)])
def test_a_battery_that_is_low_is_told(sinus, battery_pct, alarm):
    (frame, *_) = frames_of(sinus)
    outcome = feed(Bedside(BED, RUN), [replace(frame, battery_pct=battery_pct)])
    assert (AlarmKind.BATTERY_LOW in raised(outcome)) is alarm
