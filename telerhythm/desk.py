"""Where the alarms of one bed, or of a whole ward, are kept between the events."""

from __future__ import annotations

from dataclasses import dataclass, field

from alerts import engine
from alerts.delivery import document
from alerts.engine import Place
from alerts.words import AlarmKind, BedAlarms, Command, Transition
from ecg import LiveChunk
from ecg.clock import NS
from store.base import Row, TransitionRow

# How long a technical trouble is shown after it was last seen.
TROUBLE_HOLD_NS = 10 * NS


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

    def __init__(self, place: Place, patient: str) -> None:
        self.place = place
        self._patient = patient
        self._state = engine.begin(place)
        self._troubles: dict[tuple[AlarmKind, str], int] = {}

    def step(self, event: engine.Event, now_ns: int, outcome: Outcome) -> None:
        """Give the engine an event; what changes goes into `outcome`."""
        self._state, transitions = engine.step(self._state, event, now_ns)
        outcome.transitions += transitions
        outcome.rows += [self._row(t) for t in transitions]

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
        """Do what somebody at a dashboard asked for."""
        self.step(command, now_ns, outcome)

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
