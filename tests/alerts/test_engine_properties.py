"""What the engine promises, for any sequence of events.

The machine below plays a bed at random: beats that come or stop, leads that come off, devices that
fall silent, people who acknowledge what they see or what they saw long ago, restarts. Beside the
engine it keeps a plain account of what happened, and compares.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from alerts.delivery import document
from alerts.engine import (
    Acknowledge,
    FrameSeen,
    Place,
    Reset,
    Tick,
    Trouble,
    begin,
    from_json,
    step,
    to_json,
)
from alerts.rules import PRIORITY
from alerts.watch import Analysed
from alerts.words import LETHAL, AlarmKind, Phase
from ecg.clock import NS
from ecg.codes import QualityCode

T0_NS = 1_750_000_000 * NS
REPORTED = [AlarmKind.BATTERY_LOW, AlarmKind.CLOCK_WRONG, AlarmKind.UNKNOWN_DEVICE]
NEXT = {
    None: {Phase.RAISED},
    Phase.RAISED: {Phase.ACKNOWLEDGED, Phase.LATCHED, Phase.ENDED},
    Phase.ACKNOWLEDGED: {Phase.ENDED},
    Phase.LATCHED: {Phase.RESET, Phase.ENDED},
}


class Ward(RuleBasedStateMachine):
    seen_alarms = Bundle("seen_alarms")
    findings = None  # set by the test: fixtures do not reach a state machine

    def __init__(self):
        super().__init__()
        self.state = begin(Place("ward", "bed", device="ward/device"))
        self.now_s = 0
        self.phase_of = {}  # alarm id -> last phase told
        self.kind_of = {}
        self.unseen = set()  # lethal kinds that were raised and that nobody has seen since
        self.silent_s = 0.0  # usable signal without a beat, up to now
        self.take(Tick())

    def take(self, event):
        before = {a.id: a for a in self.state.alarms}
        self.state, transitions = step(self.state, event, T0_NS + self.now_s * NS)
        for t in transitions:
            assert t.phase in NEXT[self.phase_of.get(t.alarm_id)], "a phase was skipped or repeated"
            self.phase_of[t.alarm_id] = t.phase
            self.kind_of[t.alarm_id] = t.kind
            if t.phase is Phase.RAISED and t.kind in LETHAL:
                self.unseen.add(t.kind)
                assert t.evidence is not None
        by_people = isinstance(event, Acknowledge | Reset)
        for t in transitions:
            assert (t.by is not None) is by_people
        if by_people:
            assert len(transitions) <= 1
            for t in transitions:
                assert t.alarm_id == event.alarm_id, "a command reached another alarm"
                self.unseen.discard(t.kind)
        after = {a.id: a for a in self.state.alarms}
        told = {t.alarm_id for t in transitions}
        for alarm_id in before.keys() | after.keys():
            if before.get(alarm_id) != after.get(alarm_id):
                assert alarm_id in told, "an alarm changed and nobody was told"
        return transitions

    @rule(
        n_s=st.integers(1, 8),
        rate=st.sampled_from([0, 30, 60, 60, 180]),
        codes=st.sampled_from([(0,), (0,), (4,), (5,), (1,), (0, 5), (5, 5), (4, 1)]),
    )
    def signal(self, n_s, rate, codes):
        times = (
            [self.now_s + (i + 0.5) * 60 / rate for i in range(n_s * rate // 60)] if rate else []
        )
        make = self.findings
        quality = make.quality(self.now_s, self.now_s + n_s, codes)
        end_ns = make.ns(self.now_s + n_s)
        leads = ("I", "II")[: len(codes)]
        begin_s, self.now_s = self.now_s, self.now_s + n_s
        self.take(Analysed(end_ns, make.beats(times), quality=quality, leads=leads))
        shows_qrs = {QualityCode.USABLE, QualityCode.FLAT} & set(codes)
        if not shows_qrs:
            self.silent_s = 0.0
        elif times:
            self.silent_s = self.now_s - times[-1]
            if self.silent_s > n_s:
                self.silent_s = self.now_s - begin_s
        else:
            self.silent_s += n_s
        if len(codes) != self.n_leads:
            # a stream of another layout: what came before does not count
            self.silent_s = min(self.silent_s, n_s) if shows_qrs else 0.0
            self.n_leads = len(codes)
        if self.silent_s >= 4:
            assert self.is_held(AlarmKind.ASYSTOLE), "asystole and no alarm"

    n_leads = 0

    @rule(pause_s=st.integers(1, 8), frame=st.booleans())
    def time_passes(self, pause_s, frame):
        for _ in range(pause_s):
            self.now_s += 1
            if frame:
                self.take(FrameSeen(T0_NS + self.now_s * NS))
            self.take(Tick())
        self.silent_s = 0.0  # the stream has a gap here
        if not frame and pause_s > 5:
            assert self.is_held(AlarmKind.NO_DATA), "a silent device and no alarm"

    @rule(kind=st.sampled_from(REPORTED), on=st.booleans(), about=st.sampled_from(["", "a/1"]))
    def trouble(self, kind, on, about):
        self.take(Trouble(kind, on, "Trouble.", about))
        held = {(a.kind, a.about) for a in self.state.alarms}
        assert ((kind, about) in held) is on

    @rule(target=seen_alarms)
    def somebody_looks(self):
        return tuple(a.id for a in document(self.state, 0).alarms)

    @rule(ids=seen_alarms, command=st.sampled_from([Acknowledge, Reset]), data=st.data())
    def somebody_presses(self, ids, command, data):
        """What they saw may have been long ago."""
        if ids:
            self.take(command(data.draw(st.sampled_from(ids)), "nurse"))

    @rule()
    def restart(self):
        self.state = from_json(to_json(self.state), self.state.place, self.state.limits)
        self.take(Tick())

    def is_held(self, kind):
        return any(a.kind is kind and a.phase is not Phase.LATCHED for a in self.state.alarms)

    @invariant()
    def no_lethal_alarm_that_nobody_saw_is_lost(self):
        shown = {a.kind for a in self.state.alarms if a.phase is not Phase.ACKNOWLEDGED}
        assert self.unseen <= shown

    @invariant()
    def what_is_shown_is_what_was_told(self):
        over = {Phase.ENDED, Phase.RESET}
        told = {i: phase for i, phase in self.phase_of.items() if phase not in over}
        assert {a.id: a.phase for a in self.state.alarms} == told

    @invariant()
    def nothing_is_masked(self):
        """One alarm a kind and subject; no lower priority before a higher one."""
        alarms = self.state.alarms
        assert len({(a.kind, a.about) for a in alarms}) == len(alarms)
        assert [a.priority for a in alarms] == sorted((a.priority for a in alarms), reverse=True)
        assert all(a.priority >= PRIORITY[a.kind] for a in alarms)


def test_no_sequence_of_events_loses_or_masks_an_alarm(findings):
    Ward.findings = findings
    run = settings(max_examples=120, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Ward, settings=run)
