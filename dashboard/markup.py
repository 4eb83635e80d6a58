"""HTML of tiles and alarms: pure text from what is known, safe against what devices are named."""

from __future__ import annotations

import math
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from alerts.words import SYSTEM_BED, Alarm, AlarmKind, BedAlarms, Phase, Priority
from dashboard.ward_state import BedView
from ecg.clock import NS
from ecg.codes import EpisodeKind

SYMBOLS = {
    # beside the colour, for those who do not see it; the number of marks is the priority
    Priority.HIGH: "!!!",
    Priority.MEDIUM: "!!",
    Priority.LOW: "!",
    Priority.INFO: "i",
}

_RHYTHMS = {kind.wfdb: kind.label for kind in EpisodeKind}

# characters that fit into a line of a tile 290 px wide, and of one that is 460 px wide
LONG, LONGER = 32, 46


def tile(view: BedView) -> str:
    """The head of a bed's tile: bed, signal, heart rate, most urgent alarm."""
    doc = view.alarms
    alarm = shown(doc)
    sentence = ""
    if alarm is not None:
        mark = SYMBOLS[alarm.priority]
        more = f" <b>+{len(doc.alarms) - 1} more</b>" if len(doc.alarms) > 1 else ""
        sentence = f"<b class='mark'>{mark}</b> {escape(alarm.text)}{_after(alarm)}{more}"
    who = f"<b>{escape(bed_name(view.bed))}</b><span>{marks(doc)}{escape(label(doc))}</span>"
    unit = f"<span class='unit'>HR /min{limits(doc)}</span>"
    title = escape(alarm.text) if alarm else ""
    return (
        f"<div class='head {frame_look(doc)}' data-bed='{escape(view.bed)}'>"
        f"<div class='who'>{who}</div>"
        f"<div class='rate'>{unit}<span class='hr'>{rate(view)}</span></div>"
        f"{rhythm(view)}"
        f"<div class='sentence {look_of(alarm)}{_fit(alarm)}' title='{title}'>{sentence}</div>"
        "</div>"
    )


def marks(doc: BedAlarms) -> str:
    """What is inactivated at a bed, for as long as it is (IEC 60601-1-8:2006, 6.8.5)."""
    found = ""
    if doc.audio_pause is not None:
        until, by = clock(doc.audio_pause.until_ns), escape(doc.audio_pause.by)
        found += f"<em title='by {by}'>sound off until {until[:5]}</em> "
    if doc.off:
        kinds = ", ".join(f"{off.kind.label} (by {off.by})" for off in doc.off)
        word = doc.off[0].kind.label if len(doc.off) == 1 else f"{len(doc.off)} alarms"
        found += f"<em title='off: {escape(kinds)}'>{escape(word)} off</em> "
    return found


def limits(doc: BedAlarms) -> str:
    """The limits of the heart rate that are in force (6.6.2.2: limits are shown)."""
    found = dict(doc.limits)
    if "low_bpm" not in found or "high_bpm" not in found:
        return ""
    return f"<br><i>{found['low_bpm']:.0f}–{found['high_bpm']:.0f}</i>"


def rate(view: BedView) -> str:
    """Heart rate as it is shown; two dashes when there is none.

    That of the last beats is none any more while the alarm says that there are no beats.
    """
    has_no_beats = any(
        alarm.kind is AlarmKind.ASYSTOLE and alarm.phase is not Phase.LATCHED
        for alarm in view.alarms.alarms
    )
    if view.hr_bpm is None or not math.isfinite(view.hr_bpm) or has_no_beats:
        return "--"
    return f"{view.hr_bpm:.0f}"


def rhythm(view: BedView) -> str:
    """The rhythm in words, and the ventricular beats of the last minute."""
    words, code = rhythm_words(view)
    pvcs = ""
    if view.pvc_per_min is not None and math.isfinite(view.pvc_per_min):
        title = "ventricular beats in the last 60 s"
        look = " some" if view.pvc_per_min >= 0.5 else ""
        count = f"PVC <b>{view.pvc_per_min:.0f}</b>/min"
        pvcs = f"<span class='pvc{look}' title='{title}'>{count}</span>"
    about = f"{words}; WFDB {code}" if code else words
    return (
        f"<div class='rhythm'><span class='name' title='{escape(about)}'"
        f" aria-label='Rhythm: {escape(about)}'>{escape(words)}</span>{pvcs}</div>"
    )


def rhythm_words(view: BedView) -> tuple[str, str]:
    """The rhythm for people, and as texts of WFDB annotations."""
    if view.hr_bpm is None and view.rhythms is None and not view.is_readable:
        return "Rhythm not known", ""
    if view.rhythms is None:
        return ("Learning the rhythm" if view.is_readable else "Signal too poor to tell"), ""
    names = [_RHYTHMS.get(text, text) for text in view.rhythms]
    if not names:
        # not "sinus rhythm": nobody has looked whether each beat has its P wave
        return ("PVCs" if view.pvc_per_min else "No arrhythmia found"), EpisodeKind.SINUS.wfdb
    words = ", ".join(names)
    return words[0].upper() + words[1:], " ".join(view.rhythms)


def address(ward: str, bed: str | None = None, alarm_id: str | None = None) -> str:
    """Of the page that tells of an alarm, or of all of a ward."""
    words = {"log": ward, "bed": bed, "alarm": alarm_id}
    return f"?{urlencode({name: word for name, word in words.items() if word})}"


def card(view: BedView, alarm: Alarm) -> str:
    """One entry of the list of active alarms; a press on its sentence tells all of it."""
    place = bed_name(view.bed)
    state = f"since {clock(alarm.since_ns)}"
    if alarm.phase is Phase.LATCHED:
        state += " · over, not yet seen"
    elif alarm.phase is Phase.ACKNOWLEDGED:
        state += f" · ✓ {alarm.acknowledged_by or 'acknowledged'}"
        if alarm.id in view.acknowledged_ns:
            state += f" at {clock(view.acknowledged_ns[alarm.id])}"
    link = address(view.alarms.ward, view.bed, alarm.id)
    return (
        f"<div class='alarm {look_of(alarm)}' data-alarm='{escape(alarm.id)}'>"
        f"<b class='mark' title='{alarm.priority.label} priority'>{SYMBOLS[alarm.priority]}</b>"
        f"<div class='what'><div class='text{_fit(alarm)}'"
        f" title='{escape(alarm.text)} Press to see all of it.'>"
        f"<a href='{escape(link)}' target='_blank'>"
        f"<b>{escape(place)}</b> {escape(alarm.text)}</a></div>"
        f"<div class='state'>{alarm.priority.label} · {escape(state)}</div></div></div>"
    )


def short(view: BedView, alarm: Alarm) -> str:
    """An alarm in a few words."""
    return f"{SYMBOLS[alarm.priority]} {bed_name(view.bed)} {alarm.kind.label}"


def shown(doc: BedAlarms) -> Alarm | None:
    """The alarm whose sentence a tile shows: the first, unless somebody has seen to it.

    An alarm that was acknowledged must not hide one that nobody knows of.
    """
    unseen = [a for a in doc.alarms if a.phase is not Phase.ACKNOWLEDGED]
    return next(iter(unseen or doc.alarms), None)


def frame_look(doc: BedAlarms) -> str:
    """CSS classes of a tile's frame: the highest priority there, acknowledged or not.

    A patient in asystole stays red while somebody sees to it, whatever else is told meanwhile.
    """
    highest = max((a.priority for a in doc.alarms), default=None)
    worst = [a for a in doc.alarms if a.priority == highest]
    unseen = [a for a in worst if a.phase is not Phase.ACKNOWLEDGED]
    return look_of(next(iter(unseen or worst), None))


def look_of(alarm: Alarm | None) -> str:
    """CSS classes: priority, and whether it is to flash (IEC 60601-1-8:2006, 6.3.2)."""
    if alarm is None:
        return "calm"
    return alarm.priority.label + ("" if alarm.phase is Phase.ACKNOWLEDGED else " unseen")


def urgent_first(views: list[BedView]) -> list[tuple[BedView, Alarm]]:
    """All alarms of the ward: by priority, unseen before acknowledged, the newest first."""
    pairs = [(view, alarm) for view in views for alarm in view.alarms.alarms]
    return sorted(
        pairs,
        key=lambda pair: (
            -pair[1].priority,
            pair[1].phase is Phase.ACKNOWLEDGED,
            -pair[1].since_ns,
        ),
    )


def label(doc: BedAlarms) -> str:
    """What the signal is; never leaves open whether it comes from a patient."""
    kind = {"real": "real record", "simulated": "simulated", "device": ""}[doc.source]
    return " · ".join(part for part in (kind, doc.label) if part)


def bed_name(bed: str) -> str:
    """As people call it."""
    return "Ward" if bed == SYSTEM_BED else f"Bed {bed}" if bed.isdecimal() else bed


def clock(t_ns: int) -> str:
    """Local time of day, `16:20:31`."""
    return datetime.fromtimestamp(t_ns / NS).strftime("%H:%M:%S")


def _fit(alarm: Alarm | None) -> str:
    """CSS classes for what needs two lines in narrow tiles, or in all."""
    length = 0 if alarm is None else len(alarm.text)
    return " long" * (length > LONG) + " longer" * (length > LONGER)


def _after(alarm: Alarm) -> str:
    if alarm.phase is Phase.LATCHED:
        return " <i>(over)</i>"
    if alarm.phase is Phase.ACKNOWLEDGED:
        return " <i>✓</i>"
    return ""
