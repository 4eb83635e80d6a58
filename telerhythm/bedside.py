"""One bed: its frames put in order, analysed, watched by the alarm engine. No input or output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts import engine
from alerts.engine import Place
from alerts.words import AlarmKind
from detectors.analyzer import Analyzer
from ecg import Findings, Frame, LiveChunk
from ecg.clock import NS, Timeline
from ecg.frame import MISSING
from ingest.registry import Bed
from ingest.sequence import Piece, Sequencer
from store.base import BeatRows, EpisodeRows, QualityRows, Row, VitalsRows, WaveformChunk
from telerhythm.desk import AlarmDesk, Outcome

# A frame from the future cannot come of a slow network: the device's clock is wrong.
CLOCK_AHEAD_NS = 10 * NS


@dataclass(slots=True)
class _Stream:
    """An unbroken stretch of one device's signal, and its analysis."""

    analyzer: Analyzer
    timeline: Timeline
    quality: list[int]
    hr_bpm: float | None = None


class Bedside:
    """One bed, the patient in it and the device on the patient."""

    def __init__(self, bed: Bed, run: int) -> None:
        """`run` tells this process's streams from those of an earlier one (see `LiveChunk`)."""
        self.bed = bed
        self.sequencer = Sequencer(bed.device)
        self.desk = AlarmDesk(
            Place(bed.ward, bed.bed, bed.label, bed.source, bed.device), bed.patient
        )
        self._run = run
        self._epoch: int | None = None
        self._stream: _Stream | None = None

    def take(self, frame: Frame, received_ns: int) -> Outcome:
        """Take a frame as it came in."""
        outcome = Outcome()
        counts = self.sequencer.counts
        old = counts.duplicates + counts.late
        pieces = self.sequencer.push(frame, received_ns)
        if counts.duplicates + counts.late == old:  # a device that repeats itself is silent
            self.desk.step(engine.FrameSeen(received_ns), received_ns, outcome)
        self._take_pieces(pieces, received_ns, outcome)
        return outcome

    def tick(self, now_ns: int) -> Outcome:
        """Let time pass: give up on frames that do not come, notice silence."""
        outcome = Outcome()
        self._take_pieces(self.sequencer.flush(now_ns), now_ns, outcome)
        self.desk.tick(now_ns, outcome)
        return outcome

    def _take_pieces(self, pieces: Iterable[Piece], now_ns: int, outcome: Outcome) -> None:
        for piece in pieces:
            self._notice(piece, now_ns, outcome)
            if piece.epoch != self._epoch:
                self._begin(piece, now_ns, outcome)
            stream = self._stream
            assert stream is not None
            findings = self._analyse(stream, piece)
            outcome.rows.append(_chunk_row(self.bed.patient, piece))
            self._conclude(stream, findings, now_ns, outcome)
            outcome.frames.append((piece.frame.boot, piece.frame.seq))
            outcome.chunks.append(self._chunk(stream, piece, findings))

    def _begin(self, piece: Piece, now_ns: int, outcome: Outcome) -> None:
        """The stream begins anew; what the analysis of the one before still holds comes out."""
        if self._stream is not None:
            self._conclude(self._stream, self._stream.analyzer.finish(), now_ns, outcome)
        frame = piece.frame
        analyzer = Analyzer(frame.fs_hz, frame.leads)
        usable_unknown = [0] * len(frame.leads)
        self._stream = _Stream(analyzer, Timeline(frame.fs_hz), usable_unknown)
        self._epoch = piece.epoch

    def _conclude(self, stream: _Stream, findings: Findings, now_ns: int, outcome: Outcome) -> None:
        """Give findings their times, then to the alarm engine and to the store."""
        for table in (findings.beats, findings.vitals, findings.quality, findings.classified):
            table["t_ns"] = stream.timeline.times(table["sample"])
        through_ns = stream.timeline.at(findings.through_sample)
        event = engine.Analysed(
            through_ns,
            findings.beats,
            findings.vitals,
            findings.quality,
            stream.analyzer.leads,
        )
        self.desk.step(event, now_ns, outcome)
        outcome.rows += _rows(self.bed.patient, findings)

    def _notice(self, piece: Piece, now_ns: int, outcome: Outcome) -> None:
        """Turn what is odd about a piece into a trouble that a nurse sees."""
        if piece.clock_stepped:
            text = "The clock of the device has jumped: times of this bed are counted, not read."
            self.desk.trouble(AlarmKind.CLOCK_WRONG, text, now_ns, outcome)
        elif piece.frame.t_ns - now_ns > CLOCK_AHEAD_NS:
            text = "The clock of the device is ahead of this system's: check the device's clock."
            self.desk.trouble(AlarmKind.CLOCK_WRONG, text, now_ns, outcome)
        if piece.gap_s:
            text = f"The signal has gaps: {piece.gap_s:.1f} s did not arrive. Check the connection."
            self.desk.trouble(AlarmKind.BAD_DATA, text, now_ns, outcome)

    def _analyse(self, stream: _Stream, piece: Piece) -> Findings:
        x_mv = piece.frame.x_mv()
        if piece.missing:
            gap = np.full((len(x_mv), piece.missing), np.nan, np.float32)
            x_mv = np.hstack([gap, x_mv])
        stream.timeline.anchor(piece.sample, piece.t_ns)
        findings = stream.analyzer.push(x_mv)
        for row in findings.quality:
            stream.quality[row["lead"]] = int(row["code"])
        if len(findings.vitals):
            hr_bpm = float(findings.vitals["hr_bpm"][-1])
            stream.hr_bpm = hr_bpm if np.isfinite(hr_bpm) else None
        return findings

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
            beats=tuple((int(b["sample"]), chr(b["aami"])) for b in findings.classified),
            quality=tuple(stream.quality),
            hr_bpm=stream.hr_bpm,
        )


def _blank_lead_off(frame: Frame) -> NDArray[np.int16]:
    """What an electrode without contact picks up is no ECG: it is not drawn."""
    if not frame.lead_off:
        return frame.x
    x = frame.x.copy()
    x[[bool(frame.lead_off >> i & 1) for i in range(len(x))]] = MISSING
    return x


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
