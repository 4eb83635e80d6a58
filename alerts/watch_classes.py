"""The rules on the classes of beats, whenever these come.

A QRS is told at once, its class perhaps only after the next beat: then the same beat comes again
with its class. What a rule needs is looked at when the last class of its pattern is known.
"""

from __future__ import annotations

from bisect import bisect_left

from alerts import rules
from alerts.kinds import AlarmKind
from alerts.rules import ventricular
from alerts.signal import Classes
from alerts.teller import Teller
from ecg.clock import NS

LEAST = 20
"""Beats that are kept: what bigeminy, and a missed beat with its usual interval, need."""
UNKNOWN, DOUBTFUL = "?", "x"
_LETTER_OF = {"N": "n", "F": "n", "V": "V", "S": "S"}


def letter_of(aami: int, code: int, is_poor: bool) -> str:
    """The letter of a beat's row: its class as the rules see it."""
    if is_poor:
        return DOUBTFUL
    if code == _PACED:
        return "n"  # of class Q, but no ectopic beat
    return _LETTER_OF.get(chr(aami), UNKNOWN)


_PACED = ord("/")


class ClassWatch:
    """`Classes`, open for one step."""

    __slots__ = (
        "_beats_ns",
        "_before",
        "_is_changed",
        "_keep",
        "_leads",
        "_letters",
        "_teller",
    )

    def __init__(self, classes: Classes, teller: Teller) -> None:
        limits = teller.limits
        self._teller = teller
        self._keep = max(LEAST, limits.rhythm_beats + 1, limits.svt_beats + 1)
        self._beats_ns = list(classes.beats_ns)
        self._letters = classes.letters
        self._leads = list(classes.leads)
        self._is_changed = False
        self._before = classes
        teller.class_of = self.class_of

    def freeze(self) -> Classes:
        """What the next step begins with."""
        if not self._is_changed:
            return self._before
        return Classes(tuple(self._beats_ns), self._letters, tuple(self._leads))

    def knows(self, t_ns: int) -> bool:
        """The beat has been told before, with or without its class."""
        times = self._beats_ns
        return bool(times) and t_ns <= times[-1] and t_ns in times

    def class_of(self, t_ns: int) -> tuple[str, int]:
        """Letter and lead of a beat, as far as they are known."""
        if t_ns not in self._beats_ns:
            return UNKNOWN, -1
        i = self._beats_ns.index(t_ns)
        return self._letters[i], self._leads[i]

    def clear(self) -> None:
        """Beats before do not follow those that come."""
        if self._beats_ns:
            self._beats_ns.clear()
            self._leads.clear()
            self._letters = ""
            self._is_changed = True

    def beat(self, t_ns: int, letter: str, lead: int) -> None:
        """A beat, or once more one that is known, with its class."""
        times = self._beats_ns
        if not times or t_ns > times[-1]:
            k = len(times)
            times.append(t_ns)
            self._leads.append(lead)
            self._letters += letter
        else:
            k = bisect_left(times, t_ns)
            if times[k] == t_ns:
                if letter in (UNKNOWN, self._letters[k]):
                    return
                self._letters = self._letters[:k] + letter + self._letters[k + 1 :]
            elif k == 0:
                return  # older than any rule asks
            else:  # found late, by search-back
                times.insert(k, t_ns)
                self._leads.insert(k, lead)
                self._letters = self._letters[:k] + letter + self._letters[k:]
        self._is_changed = True
        if len(times) > self._keep:
            del times[0], self._leads[0]
            self._letters = self._letters[1:]
            k -= 1
        last = len(times) - 1
        if k == last:
            if letter not in "?x" and not self._is_plain(letter):
                self._judge(self._letters, times)
            return
        for i in range(k, last + 1):  # a class that comes late may complete a later pattern
            if self._letters[i] not in "?x":
                self._judge(self._letters[: i + 1], times[: i + 1])

    def _is_plain(self, letter: str) -> bool:
        """Nothing can be found at the last beat, and nothing can be over: most beats."""
        times = self._beats_ns
        return (
            letter == "n"
            and self._teller.board.is_empty
            and "V" not in self._letters[-3:]
            and (len(times) < 3 or times[-1] - times[-2] <= 1.5 * (times[-2] - times[-3]))
        )

    def _judge(self, letters: str, times: list[int]) -> None:
        """The patterns that end with the last of these beats."""
        if letters[-1] == "V":
            self._judge_ventricular(letters, times)
            return
        if letters[-3:-1] == "VV" and ventricular.couplet(letters):
            text = "Two ventricular beats in a row."
            self._event(AlarmKind.COUPLET, "couplet: 2 in a row", text, times[-4:])
        if ventricular.is_over(letters):
            self._teller.board.over(AlarmKind.VENTRICULAR_TACHYCARDIA, times[-1])
        if letters[-1] == "S":
            self._judge_svt(letters, times)
        elif len(times) >= 5 and times[-1] - times[-2] > 1.5 * (times[-2] - times[-3]):
            self._judge_missed(letters, times)

    def _judge_ventricular(self, letters: str, times: list[int]) -> None:
        limits, n = self._teller.limits, ventricular.in_a_row(letters)
        is_tachycardia = n >= limits.vt_beats and self._judge_tachycardia(times)
        if n >= limits.rhythm_beats:
            window = times[-limits.rhythm_beats :]
            is_slow = ventricular.rhythm(window, limits.rhythm_bpm, limits.vt_bpm)
            if is_slow and not self._teller.goes_on(AlarmKind.VENTRICULAR_RHYTHM, times[-1]):
                found = f"{n} ventricular beats in a row at {rules.rate_bpm(window):.0f}/min"
                text = f"Slow rhythm from the ventricles: {found}."
                rule = f"ventricular rhythm: {found}"
                self._event(AlarmKind.VENTRICULAR_RHYTHM, rule, text, window)
        elif n >= limits.run_beats and not is_tachycardia:
            text = f"{n} ventricular beats in a row."
            self._event(AlarmKind.VENTRICULAR_RUN, f"run: {n} in a row", text, times[-n:])
        if ventricular.bigeminy(letters):
            text = "Every second beat is ventricular."
            self._event(AlarmKind.BIGEMINY, "bigeminy: 3 times", text, times[-6:])
        elif ventricular.trigeminy(letters):
            text = "Every third beat is ventricular."
            self._event(AlarmKind.TRIGEMINY, "trigeminy: 3 times", text, times[-9:])
        if n == 1 and len(letters) >= 3 and letters[-2] in "nS":
            coupling_s, rr_s = (times[-1] - times[-2]) / NS, (times[-2] - times[-3]) / NS
            is_r_on_t = ventricular.r_on_t(coupling_s, rr_s)
            if is_r_on_t and not self._teller.goes_on(AlarmKind.R_ON_T, times[-1]):
                text = f"A ventricular beat within the T wave, {coupling_s:.2f} s after a beat."
                rule = f"R on T: coupling {coupling_s:.2f} s after an interval of {rr_s:.2f} s"
                self._event(AlarmKind.R_ON_T, rule, text, times[-3:])

    def _judge_tachycardia(self, times: list[int]) -> bool:
        limits = self._teller.limits
        window, kind = times[-limits.vt_beats :], AlarmKind.VENTRICULAR_TACHYCARDIA
        if not ventricular.tachycardia(window, limits.vt_bpm):
            self._teller.board.over(kind, times[-1])
            return False
        if self._teller.board.is_held(kind):
            return True
        found = f"{len(window)} ventricular beats in a row at {rules.rate_bpm(window):.0f}/min"
        rule = f"{kind.label}: {found}, limit {limits.vt_bpm:g}/min"
        text = f"Ventricular tachycardia: {found}."
        self._teller.tell(kind, window[-1], text, rule, window, window[-1])
        return True

    def _judge_svt(self, letters: str, times: list[int]) -> None:
        limits = self._teller.limits
        n = limits.svt_beats
        window = times[-n:]
        if letters.endswith("S" * n) and rules.rhythm.svt(window, limits.svt_bpm):
            found = f"{n} supraventricular beats in a row at {rules.rate_bpm(window):.0f}/min"
            text = f"Supraventricular tachycardia: {found}."
            self._event(AlarmKind.SVT, f"{AlarmKind.SVT.label}: {found}", text, window)

    def _judge_missed(self, letters: str, times: list[int]) -> None:
        if letters[-4:] != "nnnn":
            return  # after an early beat a long interval is usual
        before = times[-HR_WINDOW - 1 : -1]
        usual_s = 60 / rules.median_bpm(before)
        rr_s = (times[-1] - times[-2]) / NS
        if rules.rhythm.missed_beat(rr_s, usual_s, self._teller.limits.pause_s):
            text = f"A beat is missing: {rr_s:.1f} s between two beats, usually {usual_s:.1f} s."
            rule = f"missed beat: interval {rr_s:.2f} s, usually {usual_s:.2f} s"
            self._event(AlarmKind.MISSED_BEAT, rule, text, times[-4:])

    def _event(self, kind: AlarmKind, rule: str, text: str, window: list[int]) -> None:
        self._teller.event(kind, window[-1], text, rule, window)


HR_WINDOW = rules.HR_BEATS
