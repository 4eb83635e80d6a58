"""What the engine promises, for any sequence of events.

The machine below plays a bed at random: beats that come or stop, with their classes at once or
later, fibrillation, pulses, leads that come off, devices that fall silent or raise alarms
themselves, people who acknowledge what they see or what they saw long ago, who silence, switch off
and set limits, restarts. Beside the engine it keeps a plain account of what happened, and compares.
"""

import numpy as np
import pytest
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
    DeviceAlarm,
    FrameSeen,
    Place,
    Pulse,
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
from alerts.words import (
    ALWAYS_ON,
    LETHAL,
    AlarmKind,
    PauseAudio,
    Phase,
    Priority,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
    is_audible,
)
from ecg.clock import NS
from ecg.codes import EpisodeKind, QualityCode
from ecg.errors import BadInput
from ecg.findings import EPISODE

T0_NS = 1_750_000_000 * NS
REPORTED = [AlarmKind.BATTERY_LOW, AlarmKind.CLOCK_WRONG, AlarmKind.UNKNOWN_DEVICE]
NEXT = {
    None: {Phase.RAISED, Phase.SUPPRESSED},
    Phase.RAISED: {Phase.ACKNOWLEDGED, Phase.LATCHED, Phase.ENDED, Phase.SUPPRESSED},
    Phase.ACKNOWLEDGED: {Phase.ENDED, Phase.SUPPRESSED},
    Phase.LATCHED: {Phase.RESET, Phase.ENDED, Phase.SUPPRESSED},
}
PASSING = {Phase.ESCALATED, Phase.VERIFIED}  # told once each; the alarm stays where it is
OVER = {Phase.ENDED, Phase.RESET, Phase.SUPPRESSED}


class Ward(RuleBasedStateMachine):
    seen_alarms = Bundle("seen_alarms")
    findings = None  # set by the test: fixtures do not reach a state machine

    def __init__(self):
        super().__init__()
        self.state = begin(Place("ward", "bed", device="ward/device"))
        self.now_s = 0
        self.phase_of = {}  # alarm id -> last phase told
        self.passed = set()  # (alarm id, phase) told in passing
        self.subject_of = {}
        self.unseen = set()  # lethal (kind, subject) raised, that nobody has seen since
        self.silent_s = 0.0  # usable signal without a beat, up to now
        self.pulse_s = -1000  # when pulses were last seen
        self.vf_since_s = None
        self.late = []  # beats whose class is to come
        self.take(Tick())

    def take(self, event):
        before = {a.id: a for a in self.state.alarms}
        paused = self.state.audio_pause
        self.state, transitions = step(self.state, event, T0_NS + self.now_s * NS)
        after = {a.id: a for a in self.state.alarms}
        for t in transitions:
            self.account(t, before, after, event)
        by_people = isinstance(event, Acknowledge | Reset)
        if by_people:
            assert len(transitions) <= 1
            for t in transitions:
                assert t.alarm_id == event.alarm_id, "a command reached another alarm"
                self.unseen.discard(self.subject_of[t.alarm_id])
        told = {t.alarm_id for t in transitions}
        for alarm_id in before.keys() | after.keys():
            if before.get(alarm_id) != after.get(alarm_id):
                assert alarm_id in told, "an alarm changed and nobody was told"
        if any(t.phase is Phase.RAISED and t.priority is Priority.HIGH for t in transitions):
            assert self.state.audio_pause is None, "a new lethal alarm without a sound"
        elif paused and not isinstance(event, Tick | ResumeAudio | PauseAudio):
            assert self.state.audio_pause == paused
        return transitions

    def account(self, t, before, after, event):
        if t.phase in PASSING:
            assert (t.alarm_id, t.phase) not in self.passed, "told twice"
            self.passed.add((t.alarm_id, t.phase))
            assert t.alarm_id in self.phase_of
            return
        assert t.phase in NEXT[self.phase_of.get(t.alarm_id)], "a phase was skipped or repeated"
        was_shown = t.alarm_id in self.phase_of
        self.phase_of[t.alarm_id] = t.phase
        if t.phase is Phase.RAISED:
            about = after[t.alarm_id].about if t.alarm_id in after else ""
            self.subject_of[t.alarm_id] = (t.kind, about)
            if t.kind in LETHAL:
                self.unseen.add((t.kind, about))
                assert about or t.evidence is not None
        if t.phase is Phase.SUPPRESSED:
            assert "Not told: " in t.text or "Checked, false: " in t.text, "suppressed, unsaid why"
            if was_shown:
                assert before[t.alarm_id].about == "device", "an alarm of ours was withdrawn"
                self.unseen.discard(self.subject_of[t.alarm_id])
        if t.by is not None:
            assert isinstance(event, Acknowledge | Reset | SwitchOff)

    @rule(
        n_s=st.integers(1, 8),
        rate=st.sampled_from([0, 0, 30, 60, 60, 180]),
        codes=st.sampled_from([(0,), (0,), (4,), (5,), (1,), (0, 5), (5, 5), (4, 1)]),
        aami=st.sampled_from("NNVVSQ"),
        is_late=st.booleans(),
    )
    def signal(self, n_s, rate, codes, aami, is_late):
        times = (
            [self.now_s + (i + 0.5) * 60 / rate for i in range(n_s * rate // 60)] if rate else []
        )
        make = self.findings
        quality = make.quality(self.now_s, self.now_s + n_s, codes)
        end_ns = make.ns(self.now_s + n_s)
        leads = ("I", "II")[: len(codes)]
        begin_s, self.now_s = self.now_s, self.now_s + n_s
        beats = make.beats(times, aami="Q" if is_late else aami)
        late, self.late = self.late, [make.beats(times, aami=aami)] if is_late else []
        self.take(Analysed(end_ns, np.concatenate([*late, beats]), quality=quality, leads=leads))
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
        self.has_beaten |= bool(times)
        if self.silent_s >= (4 if self.has_beaten or 0 not in codes else 10):
            assert self.is_known(AlarmKind.ASYSTOLE), "asystole and no alarm"
        if aami == "V" and rate == 180 and n_s >= 2 and shows_qrs and not is_late:
            assert self.is_known(AlarmKind.VENTRICULAR_TACHYCARDIA), "VT and no alarm"
        if self.vf_since_s is not None and self.now_s - self.vf_since_s >= 4:
            is_told = self.is_known(AlarmKind.VENTRICULAR_FIBRILLATION)
            assert is_told or not {0, 1} & set(codes), "fibrillation and no alarm"

    n_leads = 0
    has_beaten = False

    @rule(is_open=st.booleans())
    def fibrillation(self, is_open):
        if is_open is (self.vf_since_s is not None):
            return
        onset_s = self.now_s if is_open else self.vf_since_s
        row = np.zeros(1, EPISODE)
        row["kind"], row["onset_ns"] = EpisodeKind.VF, self.findings.ns(onset_s)
        row["end_ns"] = -1 if is_open else self.findings.ns(self.now_s)
        self.vf_since_s = self.now_s if is_open else None
        self.take(Analysed(self.findings.ns(self.now_s), episodes=row))

    @rule(n_s=st.integers(1, 6), quality=st.sampled_from([0.2, 0.9]))
    def pulses(self, n_s, quality):
        """Up to now, as the analysis of the same frames tells them before it tells the ECG."""
        times = [self.findings.ns(self.now_s - i) for i in range(n_s)][::-1]
        self.take(Pulse(times[-1], np.array(times), np.full(n_s, quality)))
        if quality > 0.5:
            self.pulse_s = self.now_s

    @rule(pause_s=st.sampled_from([1, 2, 5, 8, 30]), frame=st.booleans())
    def time_passes(self, pause_s, frame):
        for _ in range(pause_s):
            self.now_s += 1
            if frame:
                self.take(FrameSeen(T0_NS + self.now_s * NS))
            self.take(Tick())
            pause = self.state.audio_pause
            assert pause is None or pause.until_ns > T0_NS + self.now_s * NS, "silent for ever"
        self.silent_s = 0.0  # the stream has a gap here
        if not frame and pause_s > 5:
            assert self.is_known(AlarmKind.NO_DATA), "a silent device and no alarm"

    @rule(kind=st.sampled_from(REPORTED), on=st.booleans(), about=st.sampled_from(["", "a/1"]))
    def trouble(self, kind, on, about):
        self.take(Trouble(kind, on, "Trouble.", about))
        held = {(a.kind, a.about) for a in self.state.alarms}
        is_off = kind in {o.kind for o in self.state.off}
        assert ((kind, about) in held) is (on and not is_off)

    @rule(
        name=st.sampled_from(["asystole", "vtach", "couplet", "apnea"]),
        on=st.sampled_from([True, True, False]),
    )
    def device_alarm(self, name, on):
        self.take(DeviceAlarm(name, T0_NS + self.now_s * NS, on))
        claims = [c for c in self.state.claims if c.name == name]
        assert bool(claims) is on
        if on and claims[0].is_lethal and claims[0].verdict is None:
            shown = {(a.kind, a.about) for a in self.state.alarms}
            assert (claims[0].kind, "device") in shown, "held back while undecided"

    @rule(target=seen_alarms)
    def somebody_looks(self):
        return tuple(a.id for a in document(self.state, 0).alarms)

    @rule(ids=seen_alarms, command=st.sampled_from([Acknowledge, Reset]), data=st.data())
    def somebody_presses(self, ids, command, data):
        """What they saw may have been long ago."""
        if ids:
            self.take(command(data.draw(st.sampled_from(ids)), "nurse"))

    @rule(command=st.sampled_from([PauseAudio, ResumeAudio]))
    def somebody_silences(self, command):
        shown = self.state.alarms
        self.take(command("nurse"))
        assert self.state.alarms == shown, "a silence is no acknowledgement"

    @rule(kind=st.sampled_from(AlarmKind), command=st.sampled_from([SwitchOff, SwitchOn]))
    def somebody_switches(self, kind, command):
        if command is SwitchOff and kind in ALWAYS_ON:
            with pytest.raises(BadInput, match="cannot be switched off"):
                self.take(command(kind, "nurse"))
        else:
            self.take(command(kind, "nurse"))
            assert (kind in {o.kind for o in self.state.off}) is (command is SwitchOff)

    @rule(name=st.sampled_from(["high_bpm", "low_bpm", "vt_bpm"]), value=st.sampled_from([45, 130]))
    def somebody_sets_a_limit(self, name, value):
        before = self.state
        try:
            self.take(SetLimits(((name, value),), "nurse"))
        except BadInput:
            assert self.state is before
        else:
            assert getattr(self.state.limits, name) == value
            assert [(o.name, o.by) for o in self.state.overrides if o.name == name] == [
                (name, "nurse")
            ]

    @rule()
    def restart(self):
        before = self.state
        self.state = from_json(to_json(self.state), self.state.place)
        for name in ("alarms", "limits", "off", "audio_pause", "suppressed", "claims", "signal"):
            assert getattr(self.state, name) == getattr(before, name)
        self.take(Tick())

    def is_known(self, kind):
        """Shown; or logged as suppressed, which takes pulses that speak against it."""
        if any(a.kind is kind and a.phase is not Phase.LATCHED for a in self.state.alarms):
            return True
        is_suppressed = kind in {k for k, _, _ in self.state.suppressed}
        return is_suppressed and self.now_s - self.pulse_s < 31

    @invariant()
    def no_lethal_alarm_that_nobody_saw_is_lost(self):
        shown = {(a.kind, a.about) for a in self.state.alarms if a.phase is not Phase.ACKNOWLEDGED}
        assert self.unseen <= shown

    @invariant()
    def what_is_shown_is_what_was_told(self):
        told = {i: phase for i, phase in self.phase_of.items() if phase not in OVER}
        assert {a.id: a.phase for a in self.state.alarms} == told

    @invariant()
    def nothing_is_masked(self):
        """One alarm a kind and subject; no lower priority before a higher one."""
        alarms = self.state.alarms
        assert len({(a.kind, a.about) for a in alarms}) == len(alarms)
        assert [a.priority for a in alarms] == sorted((a.priority for a in alarms), reverse=True)
        assert all(a.priority >= PRIORITY[a.kind] for a in alarms)

    @invariant()
    def what_is_off_is_marked_and_what_is_not_paused_sounds(self):
        told = document(self.state, 0)
        off = {o.kind for o in told.off}
        assert not off & {a.kind for a in told.alarms}
        assert not off & ALWAYS_ON
        for alarm in told.alarms:
            is_known = alarm.phase is Phase.ACKNOWLEDGED
            assert is_audible(alarm, told.audio_pause) is (not is_known and not told.audio_pause)


def test_no_sequence_of_events_loses_or_masks_an_alarm(findings):
    Ward.findings = findings
    run = settings(max_examples=100, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Ward, settings=run)
