"""Audits of alarms: what was raised, how soon somebody responded, what was suppressed and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any

from ecg.clock import NS, text
from store.base import TransitionRow

HOUR_NS = 3600 * NS


@dataclass(slots=True)
class AlarmRecord:
    """One alarm from its beginning to its end; times are ISO 8601, UTC, empty when it did not.

    Attributes
    ----------
    began : str
        When the condition began to hold.
    told : str
        When it was raised, or suppressed.
    acknowledged, by, latched, over : str
    escalated : bool
    verdict, suppressed : str
        What was made of a device's alarm; why an alarm was not told (any more).
    seconds_to_acknowledge : float or None
        From when it was told to the acknowledgement or the reset.
    """

    ward: str
    bed: str
    alarm_id: str
    kind: str
    priority: str
    began: str
    told: str
    text: str
    acknowledged: str = ""
    by: str = ""
    latched: str = ""
    over: str = ""
    escalated: bool = False
    verdict: str = ""
    suppressed: str = ""
    seconds_to_acknowledge: float | None = None


COLUMNS = tuple(field.name for field in fields(AlarmRecord))


@dataclass(frozen=True, slots=True)
class BedFigures:
    """What an audit asks of one bed."""

    ward: str
    bed: str
    raised: int
    per_hour: float
    high: int
    medium: int
    low: int
    acknowledged: int
    median_s_to_acknowledge: float | None
    p90_s_to_acknowledge: float | None
    escalated: int
    suppressed: int
    share_suppressed: float


def records(rows: Iterable[TransitionRow]) -> list[AlarmRecord]:
    """Alarms that began within some transitions, which come in the order of `noted_ns`.

    What became of alarms that began before the first of these transitions is left out.
    """
    found: dict[tuple[str, str, str], AlarmRecord] = {}
    told_ns: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row.ward, row.bed, row.alarm_id)
        if key not in found:
            if row.phase not in ("raised", "suppressed"):
                continue
            found[key] = AlarmRecord(
                row.ward,
                row.bed,
                row.alarm_id,
                row.kind,
                row.priority,
                text(row.t_ns),
                text(row.noted_ns),
                row.text,
            )
            told_ns[key] = row.noted_ns
        _add(found[key], row, told_ns[key])
    return list(found.values())


def _add(record: AlarmRecord, row: TransitionRow, told_ns: int) -> None:
    when = text(row.noted_ns)
    match row.phase:
        case "suppressed":
            record.suppressed = row.text
        case "escalated":
            record.escalated = True
        case "verified":
            record.verdict = row.text
        case "latched":
            record.latched = when
        case "ended":
            record.over = when
        case "acknowledged" | "reset":
            record.acknowledged, record.by = when, row.by or ""
            # by the button, which is when somebody responded
            record.seconds_to_acknowledge = round(max(0, row.t_ns - told_ns) / NS, 3)
            if row.phase == "reset":
                record.over = when


def by_bed(alarms: Sequence[AlarmRecord], from_ns: int, to_ns: int) -> list[BedFigures]:
    """Figures of each bed that had alarms in a stretch of time."""
    hours = (to_ns - from_ns) / HOUR_NS
    beds: dict[tuple[str, str], list[AlarmRecord]] = defaultdict(list)
    for alarm in alarms:
        beds[alarm.ward, alarm.bed].append(alarm)
    return [_figures(ward, bed, own, hours) for (ward, bed), own in sorted(beds.items())]


def _figures(ward: str, bed: str, alarms: list[AlarmRecord], hours: float) -> BedFigures:
    raised = [alarm for alarm in alarms if not alarm.suppressed]
    priorities = Counter(alarm.priority for alarm in raised)
    waits = sorted(
        alarm.seconds_to_acknowledge for alarm in raised if alarm.seconds_to_acknowledge is not None
    )
    n_suppressed = len(alarms) - len(raised)
    return BedFigures(
        ward=ward,
        bed=bed,
        raised=len(raised),
        per_hour=round(len(raised) / hours, 3),
        high=priorities["high"],
        medium=priorities["medium"],
        low=priorities["low"],
        acknowledged=len(waits),
        median_s_to_acknowledge=median(waits) if waits else None,
        p90_s_to_acknowledge=waits[int(0.9 * (len(waits) - 1))] if waits else None,
        escalated=sum(alarm.escalated for alarm in raised),
        suppressed=n_suppressed,
        share_suppressed=round(n_suppressed / len(alarms), 4),
    )


def by_hour(alarms: Sequence[AlarmRecord]) -> list[dict[str, Any]]:
    """Alarms an hour and bed, for the hours that had any; hours are UTC."""
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for alarm in alarms:
        what = "suppressed" if alarm.suppressed else alarm.priority
        counts[alarm.told[:13] + ":00Z", alarm.ward, alarm.bed][what] += 1
    words = ("high", "medium", "low", "suppressed")
    return [
        {"hour": hour, "ward": ward, "bed": bed, **{word: found[word] for word in words}}
        for (hour, ward, bed), found in sorted(counts.items())
    ]


def reasons(alarms: Sequence[AlarmRecord]) -> list[dict[str, Any]]:
    """Why alarms were suppressed, and how many of each kind; numbers within a reason are `#`."""
    found = Counter(
        (alarm.kind, re.sub(r"\d+(\.\d+)?", "#", _reason(alarm.suppressed)))
        for alarm in alarms
        if alarm.suppressed
    )
    return [{"kind": k, "reason": why, "alarms": n} for (k, why), n in found.most_common()]


def _reason(sentence: str) -> str:
    for mark in ("Not told: ", "Checked, "):
        if mark in sentence:
            return sentence.split(mark, 1)[1]
    return sentence


def summary(alarms: Sequence[AlarmRecord], from_ns: int, to_ns: int) -> dict[str, Any]:
    """All of it, as JSON takes it."""
    return {
        "from": text(from_ns),
        "to": text(to_ns),
        "beds": [asdict(bed) for bed in by_bed(alarms, from_ns, to_ns)],
        "hours": by_hour(alarms),
        "suppressed": reasons(alarms),
        "alarms": [asdict(alarm) for alarm in alarms],
    }
