"""Where the alarms of one bed, or of a whole ward, are kept between the events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from alerts import device, engine
from alerts.delivery import document
from alerts.device import Claim, Judge, Known, Verdict
from alerts.engine import Limits, Place, State
from alerts.words import (
    LETHAL,
    Acknowledge,
    AlarmKind,
    BedAlarms,
    Command,
    Off,
    PauseAudio,
    Reset,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
    Transition,
    command_name,
)
from ecg import LiveChunk
from ecg.clock import NS
from ingest.registry import Bed, Registry
from store.base import AuditRow, Row, StateRow, TransitionRow
from telerhythm.settings import BedSettings, Settings

# How long a technical trouble is shown after it was last seen.
TROUBLE_HOLD_NS = 10 * NS
KEY = "desk/"
"""Keys of the store under which the states of desks are kept begin so."""


KEPT = ("alarms", "suppressed", "audio_pause", "off", "overrides", "claims")
"""Parts of the state that a restart must find; what the rules remember of the signal, a new
analysis builds up anew within seconds."""
REPORTED = frozenset(
    {
        AlarmKind.BAD_DATA,
        AlarmKind.CLOCK_WRONG,
        AlarmKind.BATTERY_LOW,
        AlarmKind.UNKNOWN_DEVICE,
        AlarmKind.STORE_TROUBLE,
        AlarmKind.DELIVERY_TROUBLE,
        AlarmKind.OVERLOAD,
    }
)
"""Kinds that no rule of the engine decides: they are over when nobody reports them any more."""


LOOKED_AT = frozenset(LETHAL)
"""Kinds of devices' alarms that `telerhythm.verifier` looks at the waveforms for."""


@dataclass(slots=True)
class Outcome:
    """What a bed has to say after it was given something.

    Attributes
    ----------
    rows : list of Row
        To be stored.
    frames : list of (boot, seq)
        Of the frames that these rows make durable.
    chunks : list of LiveChunk
        To be shown.
    transitions : list of Transition
        Alarms that changed.
    """

    rows: list[Row] = field(default_factory=list)
    frames: list[tuple[int, int]] = field(default_factory=list)
    chunks: list[LiveChunk] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)


class AlarmDesk:
    """The alarm engine's state of one place, and the troubles that are shown there."""

    def __init__(
        self,
        place: Place,
        patient: str,
        limits: Limits | None = None,
        off: tuple[Off, ...] = (),
        judge: Judge = device.judge,
    ) -> None:
        self.place = replace(place, patient=patient)
        self.key = f"{KEY}{place.ward}/{place.bed}"
        self._patient = patient
        self._judge = judge
        self._asked: set[int] = set()
        self._parts: tuple[object, ...] = ()  # of which the last document was made
        self._published: BedAlarms | None = None
        self._state = engine.begin(self.place, limits, off)
        self._troubles: dict[tuple[AlarmKind, str], int] = {}

    @property
    def state(self) -> State:
        """What the engine knows of the place."""
        return self._state

    def resume(self, text: str, now_ns: int) -> None:
        """Go on where an earlier process was: its alarms are active, and not raised again.

        Raises
        ------
        BadInput
            If the text is damaged or of another patient: the desk stays as it is.
        """
        settings = self._state
        state = engine.from_json(text, self.place, settings.limits)
        by_settings = [o for o in settings.off if o.kind not in {o.kind for o in state.off}]
        self._state = state._replace(off=(*state.off, *by_settings))
        for alarm in state.alarms:
            if alarm.kind in REPORTED:  # whoever reports it must do so again, or it is over
                self._troubles[alarm.kind, alarm.about] = now_ns + TROUBLE_HOLD_NS

    def step(self, event: engine.Event, now_ns: int, outcome: Outcome) -> None:
        """Give the engine an event; what changes goes into `outcome`."""
        before = self._state
        self._state, transitions = engine.step(before, event, now_ns, self._judge)
        outcome.transitions += transitions
        outcome.rows += [self._row(t) for t in transitions]
        if any(getattr(before, name) is not getattr(self._state, name) for name in KEPT):
            # in the same append as the transitions: after a restart both are there, or neither
            outcome.rows.append(StateRow(self.key, engine.to_json(self._state)))

    def take_unasked(self) -> list[Claim]:
        """Alarms of the device that the waveforms are still to be looked at for, each once."""
        waiting = {c.first_ns: c for c in self._state.claims if c.verdict is None}
        fresh = [c for t, c in waiting.items() if t not in self._asked and c.kind in LOOKED_AT]
        self._asked = set(waiting)
        return fresh

    def trouble(
        self, kind: AlarmKind, text: str, now_ns: int, outcome: Outcome, about: str = ""
    ) -> None:
        """Show a technical trouble, for as long as it is seen again and a little longer."""
        fresh = (kind, about) not in self._troubles
        self._troubles[kind, about] = now_ns + TROUBLE_HOLD_NS
        if fresh:
            self.step(engine.Trouble(kind, True, text, about), now_ns, outcome)

    def tick(self, now_ns: int, outcome: Outcome) -> None:
        """Let time pass."""
        for (kind, about), until_ns in list(self._troubles.items()):
            if now_ns >= until_ns:
                del self._troubles[kind, about]
                self.step(engine.Trouble(kind, False, "", about), now_ns, outcome)
        self.step(engine.Tick(), now_ns, outcome)

    def command(self, command: Command, now_ns: int, outcome: Outcome) -> None:
        """Do what somebody at a dashboard asked for.

        Raises
        ------
        BadInput
            If it cannot be, as limits that contradict each other.
        """
        before = self._state
        self.step(command, now_ns, outcome)
        detail = _changed(before, command)
        if detail is not None:
            place = f"{self.place.ward}/{self.place.bed} {self._patient}"
            audit = AuditRow(now_ns, command.by, command_name(command), f"{place}: {detail}")
            outcome.rows.append(audit)

    def news(self, now_ns: int) -> BedAlarms | None:
        """The document, when it says anything else than the last one that was given.

        Looks first at whether its parts are the same objects: thousands of beds ask for every
        frame, and most frames change none.
        """
        s = self._state
        parts = (s.alarms, s.audio_pause, s.off, s.limits, s.leads, s.seen_ns is None)
        if self._parts and all(a is b for a, b in zip(parts, self._parts, strict=True)):
            return None
        self._parts = parts
        made = document(s, now_ns)
        said = replace(made, t_ns=0)
        if said == self._published:
            return None
        self._published = said
        return made

    def forget_published(self) -> None:
        """Whatever was published of it may be gone: it is news again."""
        self._parts, self._published = (), None

    def document(self, now_ns: int) -> BedAlarms:
        """What is published of this place."""
        return document(self._state, now_ns)

    def _row(self, transition: Transition) -> TransitionRow:
        evidence = transition.evidence
        return TransitionRow(
            t_ns=transition.t_ns,
            noted_ns=transition.noted_ns,
            ward=self.place.ward,
            bed=self.place.bed,
            patient=self._patient,
            alarm_id=transition.alarm_id,
            kind=transition.kind.value,
            priority=transition.priority.label,
            phase=transition.phase.value,
            by=transition.by,
            text=transition.text,
            evidence=evidence.to_json() if evidence else "",
        )


def judge(claim: Claim, known: Known) -> Verdict:
    """The verdict by the findings; for kinds whose waveforms are looked at, another will come."""
    if claim.kind in LOOKED_AT:
        return Verdict("undecided", "the signal could not be looked at in time.")
    return device.judge(claim, known)


def _changed(before: State, command: Command) -> str | None:
    """What a command has changed, for the audit; None for what the transitions tell already."""
    off = {o.kind for o in before.off}
    match command:
        case SetLimits():
            old = before.limits.values()
            new = [(name, value) for name, value in command.limits if old[name] != value]
            return ", ".join(f"{name} {old[name]:g} -> {v:g}" for name, v in new) or None
        case SwitchOff() | SwitchOn():
            # a command comes again when this process died before it could acknowledge it
            is_new = (command.kind in off) is isinstance(command, SwitchOn)
            return command.kind.value if is_new else None
        case PauseAudio():
            return f"{command.for_s or before.limits.audio_pause_s:g} s"
        case ResumeAudio():
            return "sound on" if before.audio_pause is not None else None
        case Acknowledge() | Reset():
            return None


def desk_of(bed: Bed, settings: BedSettings, all_settings: Settings) -> AlarmDesk:
    """The desk of a bed, with the limits of its patient."""
    limits, off = all_settings.limits_of(settings), all_settings.off_at(settings)
    return AlarmDesk(place_of(bed), bed.patient, limits, off, judge)


def place_of(bed: Bed) -> Place:
    """The bed as the alarm engine calls it."""
    return Place(bed.ward, bed.bed, bed.label, bed.source, bed.device)


def registry_of(settings: Settings) -> Registry:
    """The beds of the settings; what is about their alarms is left to their desks."""
    about_alarms = {"age", "limits", "off"}
    return Registry(Bed(**bed.model_dump(exclude=about_alarms)) for bed in settings.beds)


def log_transitions(log: Any, place: Place, transitions: Iterable[Transition]) -> None:
    """A line of the log for each change of an alarm."""
    for t in transitions:
        log.info(
            "alarm",
            bed=f"{place.ward}/{place.bed}",
            phase=t.phase.value,
            priority=t.priority.label,
            id=t.alarm_id,
            by=t.by,
            text=t.text,
        )
