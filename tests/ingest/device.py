"""A device that sends a frame every 0.2 s, and a network that takes 20 ms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecg import Frame
from ecg.clock import NS
from ingest.sequence import Sequencer

T0 = 1_772_366_400_000_000_000
FS_HZ = 250.0
N = 50  # samples of a frame: 0.2 s
FRAME_NS = N * NS // 250
NETWORK_NS = 20_000_000


def make_frame(seq: int, boot: int = 1, t_ns: int | None = None, n: int = N, **changes) -> Frame:
    """Frame `seq` of a device that started at T0; each sample tells its index."""
    frame = Frame(
        device="a/b",
        boot=boot,
        seq=seq,
        t_ns=T0 + seq * FRAME_NS if t_ns is None else t_ns,
        fs_hz=FS_HZ,
        leads=("II",),
        lsb_uv=np.array([5.0], np.float32),
        x=((np.arange(n) + seq * N % 30000) % 30000)[None].astype(np.int16),
    )
    return replace(frame, **changes)


def play(sequencer: Sequencer, *frames: Frame, delay_ns: int = NETWORK_NS):
    """Push each when its last sample was taken, plus the network's delay."""
    pieces = []
    for frame in frames:
        pieces += sequencer.push(frame, frame.end_ns + delay_ns)
    return pieces


def figures(sequencer: Sequencer, *names: str):
    return tuple(getattr(sequencer.counts, name) for name in names)
