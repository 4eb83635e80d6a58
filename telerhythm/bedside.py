"""One bed: its frames put in order, analysed, watched by the alarm engine. No input or output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alerts import engine
from alerts.words import AlarmKind
from ecg import Findings, Frame, LiveChunk
from ecg.clock import NS, Timeline
from ecg.frame import MISSING
from ingest.registry import Bed
from ingest.sequence import Piece, Sequencer
from store.base import BeatRows, EpisodeRows, QualityRows, Row, VitalsRows, WaveformChunk
from telerhythm.desk import AlarmDesk, Outcome, place_of
from telerhythm.events import EcgStream
from telerhythm.pool import Job, Pool, Seat
from telerhythm.pulses import PulseStream, split
from telerhythm.rhythm_now import RhythmNow

# A frame from the future cannot come of a slow network: the device's clock is wrong.
CLOCK_AHEAD_NS = 10 * NS
# Time to fetch another: a wearable with a day's charge has about two hours left.
BATTERY_LOW_PCT = 10.0


@dataclass(slots=True)
class _Stream:
    """An unbroken stretch of one device's signal, and its analysis."""

    seat: Seat
    told: EcgStream
    ecg: tuple[int, ...]  # which of the frame's leads are analysed as ECG
    pulse: PulseStream | None
    quality: list[int]
    hr_bpm: float | None = None
    pvc_per_min: float | None = None
    rhythm: RhythmNow = field(default_factory=RhythmNow)

    @property
    def timeline(self) -> Timeline:
        """Times of its samples."""
        return self.told.timeline


@dataclass(slots=True)
class Turn:
    """What is to be analysed of a bed, and what is known before it is.

    Attributes
    ----------
    outcome : Outcome
    jobs : list of Job
        For `Pool.run`.
    """

    outcome: Outcome = field(default_factory=Outcome)
    jobs: list[Job] = field(default_factory=list)
    _steps: list[tuple[_Stream, Piece | None]] = field(default_factory=list)


class Bedside:
    """One bed, the patient in it and the device on the patient.

    `take` and `tick` do all that there is to do. They are made of `order` and `let_pass`, which
    give what is to be analysed, and `conclude`: so that many beds can be analysed at once.
    """

    def __init__(
        self, bed: Bed, run: int, pool: Pool | None = None, desk: AlarmDesk | None = None
    ) -> None:
        """`run` tells this process's streams from those of an earlier one (see `LiveChunk`)."""
        self.bed = bed
        self._pool = pool or Pool()
        self.sequencer = Sequencer(bed.device)
        self.desk = desk or AlarmDesk(place_of(bed), bed.patient)
        self._run = run
        self._epoch: int | None = None
        self._stream: _Stream | None = None

    def take(self, frame: Frame, received_ns: int) -> Outcome:
        """Take a frame as it came in."""
        turn = self.order(frame, received_ns)
        return self.conclude(turn, self._pool.run(turn.jobs), received_ns)

    def tick(self, now_ns: int) -> Outcome:
        """Let time pass: give up on frames that do not come, notice silence."""
        turn = self.let_pass(now_ns)
        return self.conclude(turn, self._pool.run(turn.jobs), now_ns)

    def order(self, frame: Frame, received_ns: int) -> Turn:
        """Put a frame in its place; what can be analysed now."""
        turn = Turn()
        counts = self.sequencer.counts
        old = counts.duplicates + counts.late
        pieces = self.sequencer.push(frame, received_ns)
        if counts.duplicates + counts.late == old:  # a device that repeats itself is silent
            self.desk.step(engine.FrameSeen(received_ns), received_ns, turn.outcome)
        self._prepare(pieces, received_ns, turn)
        return turn

    def let_pass(self, now_ns: int) -> Turn:
        """What can be analysed since frames that it waited for are given up."""
        turn = Turn()
        self._prepare(self.sequencer.flush(now_ns), now_ns, turn)
        self.desk.tick(now_ns, turn.outcome)
        return turn

    def conclude(self, turn: Turn, found: Sequence[Findings], now_ns: int) -> Outcome:
        """What the findings of a turn's jobs mean: alarms, rows, pictures."""
        outcome = turn.outcome
        for (stream, piece), findings in zip(turn._steps, found, strict=True):
            if piece is not None:
                outcome.rows.append(_chunk_row(self.bed.patient, piece))
                if stream.pulse is not None:  # before the ECG: they may speak against its alarms
                    for event in stream.pulse.take(piece, stream.timeline):
                        self.desk.step(event, now_ns, outcome)
            self._conclude(stream, findings, now_ns, outcome)
            if piece is not None:
                outcome.frames.append((piece.frame.boot, piece.frame.seq))
                outcome.chunks.append(self._chunk(stream, piece, findings))
        return outcome

    def _prepare(self, pieces: Iterable[Piece], now_ns: int, turn: Turn) -> None:
        for piece in pieces:
            self._notice(piece, now_ns, turn.outcome)
            if self._stream is None or piece.epoch != self._epoch:
                self._stream = self._begin(piece, turn)
            stream = self._stream
            stream.timeline.anchor(piece.sample, piece.t_ns)
            turn.jobs.append((stream.seat, _samples(piece, stream.ecg)))
            turn._steps.append((stream, piece))

    def _begin(self, piece: Piece, turn: Turn) -> _Stream:
        """The stream begins anew; what the analysis of the one before still holds comes out."""
        if self._stream is not None:
            turn.jobs.append((self._stream.seat, None))
            turn._steps.append((self._stream, None))
        frame = piece.frame
        ecg, pulse = split(frame.leads)
        pulses = PulseStream(frame.fs_hz, pulse, frame.leads) if pulse else None
        seat = self._pool.begin(frame.fs_hz, tuple(frame.leads[i] for i in ecg))
        usable_unknown = [0] * len(frame.leads)
        self._epoch = piece.epoch
        told = EcgStream(Timeline(frame.fs_hz), seat.leads)
        return _Stream(seat, told, ecg, pulses, usable_unknown)

    def _conclude(self, stream: _Stream, findings: Findings, now_ns: int, outcome: Outcome) -> None:
        """Findings to the alarm engine, to the screen and to the store."""
        self.desk.step(stream.told.tell(findings), now_ns, outcome)
        for row in findings.quality:
            stream.quality[stream.ecg[row["lead"]]] = int(row["code"])
        if len(findings.vitals):
            stream.hr_bpm = _known(findings.vitals["hr_bpm"][-1])
            stream.pvc_per_min = _known(findings.vitals["pvc_per_min"][-1])
        stream.rhythm.take(findings)
        # in the store a lead's number is its place among all leads of the frame
        places = np.array(stream.ecg, np.int64)
        findings.quality["lead"] = places[findings.quality["lead"]]
        one = findings.classified["lead"] >= 0
        findings.classified["lead"][one] = places[findings.classified["lead"][one]]
        outcome.rows += _rows(self.bed.patient, findings)

    def _notice(self, piece: Piece, now_ns: int, outcome: Outcome) -> None:
        """Turn what is odd about a piece into a trouble that a nurse sees."""
        if piece.clock_stepped:
            text = "The clock of the device has jumped: times of this bed are counted, not read."
            self.desk.trouble(AlarmKind.CLOCK_WRONG, text, now_ns, outcome)
        elif piece.frame.t_ns - now_ns > CLOCK_AHEAD_NS:
            text = "The clock of the device is ahead of this system's: check the device's clock."
            self.desk.trouble(AlarmKind.CLOCK_WRONG, text, now_ns, outcome)
        battery_pct = piece.frame.battery_pct
        if battery_pct is not None and battery_pct < BATTERY_LOW_PCT:
            text = f"The battery of the device is at {battery_pct:.0f} %: charge or change it."
            self.desk.trouble(AlarmKind.BATTERY_LOW, text, now_ns, outcome)
        if piece.gap_s:
            text = f"The signal has gaps: {piece.gap_s:.1f} s did not arrive. Check the connection."
            self.desk.trouble(AlarmKind.BAD_DATA, text, now_ns, outcome)

    def _chunk(self, stream: _Stream, piece: Piece, findings: Findings) -> LiveChunk:
        frame = piece.frame
        return LiveChunk(
            ward=self.bed.ward,
            bed=self.bed.bed,
            epoch=self._run + piece.epoch,
            sample=piece.sample,
            t_ns=piece.t_ns,
            fs_hz=frame.fs_hz,
            leads=frame.leads,
            lsb_uv=tuple(float(v) for v in frame.lsb_uv),
            x=_blank_lead_off(frame),
            beats=tuple((int(beat["sample"]), chr(beat["code"])) for beat in findings.classified),
            quality=tuple(stream.quality),
            hr_bpm=stream.hr_bpm,
            pvc_per_min=stream.pvc_per_min,
            rhythms=stream.rhythm.told([stream.quality[i] for i in stream.ecg]),
        )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _blank_lead_off(frame: Frame) -> NDArray[np.int16]:
    """What an electrode without contact picks up is no ECG: it is not drawn."""
    if not frame.lead_off:
        return frame.x
    x = frame.x.copy()
    x[[bool(frame.lead_off >> i & 1) for i in range(len(x))]] = MISSING
    return x


def _samples(piece: Piece, leads: tuple[int, ...]) -> NDArray[np.float32]:
    """Of some leads of a piece, in mV, with what is missing before it as NaN."""
    x_mv = piece.frame.x_mv()
    if len(leads) < len(x_mv):
        x_mv = x_mv[list(leads)]
    if not piece.missing:
        return x_mv
    gap = np.full((len(x_mv), piece.missing), np.nan, np.float32)
    return np.hstack([gap, x_mv])


def _chunk_row(patient: str, piece: Piece) -> WaveformChunk:
    frame = piece.frame
    return WaveformChunk(
        patient=patient,
        device=frame.device,
        boot=frame.boot,
        seq=frame.seq,
        t_ns=piece.t_ns,
        fs_hz=frame.fs_hz,
        leads=frame.leads,
        lsb_uv=frame.lsb_uv,
        x=_blank_lead_off(frame),
    )


def _rows(patient: str, findings: Findings) -> list[Row]:
    rows: list[Row] = []
    if len(findings.classified):  # alarms take a beat at once, the store when its class is final
        rows.append(BeatRows(patient, findings.classified))
    if len(findings.vitals):
        rows.append(VitalsRows(patient, findings.vitals))
    if len(findings.quality):
        rows.append(QualityRows(patient, findings.quality))
    if len(findings.episodes):
        rows.append(EpisodeRows(patient, findings.episodes))
    return rows
