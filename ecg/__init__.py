"""The words that all rooms speak: frames, findings, codes, records, time. NumPy only."""

from ecg.errors import (
    BadFrame,
    BadInput,
    BadRecord,
    BadSetting,
    BadSignal,
    StoreError,
    TelerhythmError,
)
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS, Findings
from ecg.frame import MISSING, Frame
from ecg.live import LiveChunk, decode_live, encode_live
from ecg.record import Annotations, Record

__all__ = [
    "BEAT",
    "EPISODE",
    "MISSING",
    "QUALITY",
    "VITALS",
    "Annotations",
    "BadFrame",
    "BadInput",
    "BadRecord",
    "BadSetting",
    "BadSignal",
    "Findings",
    "Frame",
    "LiveChunk",
    "Record",
    "StoreError",
    "TelerhythmError",
    "decode_live",
    "encode_live",
]
