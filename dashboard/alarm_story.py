"""One alarm from the sample to the acknowledgement, as the store has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.words import Evidence
from ecg.clock import NS
from ecg.codes import EpisodeKind
from ecg.frame import MISSING
from store.base import Reader, TransitionRow, WaveformChunk

BEFORE_NS, AFTER_NS = 10 * NS, 6 * NS  # as the evidence of alarms has it
EARLIER_NS = 3600 * NS  # a device's clock may be so much ahead of ours


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """The signal around an alarm.

    Attributes
    ----------
    from_ns, to_ns : int
    leads : tuple of (name, seconds since `from_ns`, mV)
        float64 [n] each; NaN where there is no sample.
    beats : tuple of (t_ns, WFDB code)
    rhythms : tuple of (text, onset_ns, end_ns)
        In words; -1 while it goes on.
    """

    from_ns: int
    to_ns: int
    leads: tuple[tuple[str, NDArray[np.float64], NDArray[np.float64]], ...]
    beats: tuple[tuple[int, str], ...]
    rhythms: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """What is known of one alarm.

    Attributes
    ----------
    steps : tuple of TransitionRow
        In the order in which they were noted; never empty.
    evidence : Evidence or None
    strip : Strip
    """

    steps: tuple[TransitionRow, ...]
    evidence: Evidence | None
    strip: Strip

    @property
    def began_ns(self) -> int:
        """When the condition began to hold."""
        return self.steps[0].t_ns


def log_of(
    reader: Reader, ward: str, bed: str | None, from_ns: int, to_ns: int
) -> list[tuple[TransitionRow, ...]]:
    """The steps of each alarm that something happened to in a stretch; the newest alarm first."""
    found: dict[tuple[str, str], list[TransitionRow]] = {}
    for row in reader.transitions(from_ns, to_ns, ward=ward, bed=bed):
        found.setdefault((row.bed, row.alarm_id), []).append(row)
    steps = [tuple(rows) for rows in found.values()]
    return sorted(steps, key=lambda rows: rows[0].noted_ns, reverse=True)


def story_of(reader: Reader, ward: str, bed: str, alarm_id: str, now_ns: int) -> Story | None:
    """All that the store has of an alarm; None when it does not know it."""
    from_ns = _named_ns(alarm_id, now_ns) - EARLIER_NS
    rows = reader.transitions(from_ns, now_ns + EARLIER_NS, ward=ward, bed=bed)
    steps = tuple(row for row in rows if row.alarm_id == alarm_id)
    if not steps:
        return None
    texts = [row.evidence for row in steps if row.evidence]
    evidence = Evidence.from_json(texts[0]) if texts else None
    began_ns = steps[0].t_ns
    from_ns, to_ns = began_ns - BEFORE_NS, began_ns + AFTER_NS
    if evidence is not None:
        from_ns, to_ns = evidence.from_ns, evidence.to_ns
    return Story(steps, evidence, strip_of(reader, steps[0].patient, from_ns, to_ns))


def strip_of(reader: Reader, patient: str, from_ns: int, to_ns: int) -> Strip:
    """The signal of a stretch with its beats and rhythms."""
    episodes = reader.episodes(patient, from_ns, to_ns)
    kinds = [EpisodeKind(kind) for kind in episodes["kind"]]
    beats = reader.beats(patient, from_ns, to_ns)
    codes = [chr(code) for code in beats["code"]]
    return Strip(
        from_ns,
        to_ns,
        _leads(reader.waveform(patient, from_ns, to_ns), from_ns, to_ns),
        tuple(zip(beats["t_ns"].tolist(), codes, strict=True)),
        tuple(
            (kind.label, onset, end)
            for kind, onset, end in zip(
                kinds, episodes["onset_ns"].tolist(), episodes["end_ns"].tolist(), strict=True
            )
        ),
    )


def _named_ns(alarm_id: str, now_ns: int) -> int:
    """When the condition began: it stands in the id, so that nothing before is searched."""
    parts = alarm_id.split(".")
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else now_ns - 24 * EARLIER_NS


def _leads(
    chunks: Sequence[WaveformChunk], from_ns: int, to_ns: int
) -> tuple[tuple[str, NDArray[np.float64], NDArray[np.float64]], ...]:
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    for chunk in chunks:
        # nanoseconds since 1970 do not fit into a float: subtract first
        t_s = (chunk.t_ns - from_ns) / NS + np.arange(chunk.x.shape[1]) / chunk.fs_hz
        inside = (t_s >= 0) & (t_s < (to_ns - from_ns) / NS)
        for name, lsb_uv, x in zip(chunk.leads, chunk.lsb_uv, chunk.x, strict=True):
            mv = np.where(x == MISSING, np.nan, x * (float(lsb_uv) / 1000))
            found.setdefault(name, []).append((t_s[inside], mv[inside]))
    return tuple(
        (name, np.concatenate([t for t, _ in parts]), np.concatenate([mv for _, mv in parts]))
        for name, parts in found.items()
    )
