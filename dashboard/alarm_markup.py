"""HTML of the alarm log and of one alarm: pure text, safe against what devices are named."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from html import escape

from alerts.words import Evidence, Phase, Priority
from dashboard import strip
from dashboard.alarm_story import Story
from dashboard.markup import SYMBOLS, address, bed_name
from ecg.clock import NS
from ecg.codes import QualityCode
from store.base import TransitionRow

_WORDS = {
    Phase.RAISED: "raised: shown, and told to whom it concerns",
    Phase.ESCALATED: "passed on: nobody had acknowledged in time",
    Phase.VERIFIED: "looked at",
    Phase.ACKNOWLEDGED: "acknowledged: somebody knows",
    Phase.LATCHED: "condition over; shown until somebody has seen it",
    Phase.ENDED: "over",
    Phase.RESET: "seen, and taken away",
    Phase.SUPPRESSED: "not shown: something speaks against it",
}


def clock_ms(t_ns: int) -> str:
    """Local time of day with milliseconds, `16:20:31.250`."""
    whole = datetime.fromtimestamp(t_ns // NS).strftime("%H:%M:%S")
    return f"{whole}.{t_ns % NS // 1_000_000:03d}"


def log(ward: str, bed: str | None, alarms: Sequence[Sequence[TransitionRow]]) -> str:
    """The alarms of a ward, each a row and a link to its story."""
    rows = [_log_row(ward, steps) for steps in alarms]
    place = escape(bed_name(bed)) if bed else "all beds"
    heads = "".join(f"<th>{h}</th>" for h in ("", "Bed", "Told", "What", "Acknowledged", "Now"))
    return (
        f"<div class='title'>Alarm log <span>{escape(ward)}, {place}: {len(rows)}</span></div>"
        f"<table class='log'><tr>{heads}</tr>{''.join(rows)}</table>"
    )


def _log_row(ward: str, steps: Sequence[TransitionRow]) -> str:
    first, last = steps[0], steps[-1]
    seen = [s for s in steps if s.phase in (Phase.ACKNOWLEDGED, Phase.RESET)]
    by = f"{clock_ms(seen[0].t_ns)} {seen[0].by or ''}" if seen else ""
    link = escape(address(ward, first.bed, first.alarm_id))
    cells = (
        f"<b class='mark' title='{first.priority}'>{_symbol(first)}</b>",
        escape(bed_name(first.bed)),
        clock_ms(first.noted_ns),
        f"<a href='{link}' target='_blank'>{escape(first.text)}</a>",
        escape(by),
        escape(last.phase),
    )
    return f"<tr class='{escape(first.priority)}'>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


def story(found: Story, label: str, now_ns: int) -> str:
    """One alarm: its sentence, the strip, what speaks for it, and each step."""
    first = found.steps[0]
    where = " · ".join(part for part in (bed_name(first.bed), label) if part)
    drawn = strip.svg(
        found.strip, found.began_ns, found.evidence.beats_ns if found.evidence else ()
    )
    picture = base64.b64encode(drawn.encode()).decode()
    note = "" if now_ns > found.strip.to_ns + 2 * NS else " The rest is still on its way."
    return (
        f"<div class='title {escape(first.priority)}'><b class='mark'>{_symbol(first)}</b>"
        f" {escape(first.text)}<br><span>{escape(where)} · {escape(first.priority)} priority ·"
        f" {escape(first.alarm_id)}</span></div>"
        f"<div class='scroll'><img class='strip' src='data:image/svg+xml;base64,{picture}'"
        f" alt='ECG from {clock_ms(found.strip.from_ns)} to {clock_ms(found.strip.to_ns)}"
        f" with {len(found.strip.beats)} beats'></div>"
        "<div class='note'>25 mm/s, 10 mm/mV; small squares 1 mm. Letters: classes of the beats"
        f" (N, S, V, F; P paced, ? not known); underlined: those that the rule used.{note}</div>"
        f"{_facts(found)}{_steps(found)}"
    )


def _facts(found: Story) -> str:
    """Why: the rule with its numbers, and what was known."""
    lines = []
    if found.evidence is not None:
        lines += _evidence(found.evidence, found.strip.from_ns)
    for words, onset_ns, end_ns in found.strip.rhythms:
        end = "and goes on" if end_ns < 0 else f"to {clock_ms(end_ns)}"
        lines.append(("Rhythm", f"{words}, {clock_ms(onset_ns)} {end}"))
    facts = "".join(f"<div><b>{name}</b>: {escape(value)}</div>" for name, value in lines)
    return f"<div class='facts'>{facts}</div>"


def _evidence(evidence: Evidence, from_ns: int) -> list[tuple[str, str]]:
    lines = [("Rule", evidence.rule)]
    if evidence.beats_ns:
        letters = evidence.classes.ljust(len(evidence.beats_ns), "?")
        pairs = list(zip(evidence.beats_ns, letters, strict=True))
        told = [f"{clock_ms(t_ns)} {letter}" for t_ns, letter in pairs if t_ns >= from_ns]
        if len(told) < len(pairs):
            told.insert(0, f"{len(pairs) - len(told)} before the strip")
        lines.append(("Beats that it used", ", ".join(told)))
    if evidence.hr_bpm is not None:
        lines.append(("Heart rate before", f"{evidence.hr_bpm:.0f}/min"))
    if evidence.quality:
        quality = ", ".join(QualityCode(code).label for code in evidence.quality)
        lines.append(("Signal, lead by lead", quality))
    if evidence.pulses_ns:
        lines.append(("Pulses in the strip", str(len(evidence.pulses_ns))))
    return lines


def _steps(found: Story) -> str:
    """Each change with its times and who made it."""
    began_ns, before, rows = found.began_ns, found.steps[0].text, []
    heads = ("Condition or press at", "Noted at", "After", "What", "By")
    for step in found.steps:
        what = _WORDS.get(Phase(step.phase), step.phase)
        if step.text != before:
            what += f". {step.text}"
        before = step.text
        after_s = (step.noted_ns - began_ns) / NS
        cells = (
            clock_ms(step.t_ns),
            clock_ms(step.noted_ns),
            f"{after_s:.3f} s",
            escape(what),
            escape(step.by or ""),
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table class='log steps'><tr>{head}</tr>{''.join(rows)}</table>"


def _symbol(step: TransitionRow) -> str:
    return SYMBOLS[Priority[step.priority.upper()]]
