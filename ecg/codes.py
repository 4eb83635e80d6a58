"""Codes that every room shares: beats, AAMI classes, rhythms, signal quality, leads.

Beat and rhythm codes are those of WFDB annotations (PhysioNet, "WFDB Applications Guide", appendix
"Annotation codes"); classes are those of ANSI/AAMI EC57:2012, table 1.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

BEAT_CODES = "NLRBAaJSVrFejnE/fQ?"
"""WFDB characters that mark a beat. `/` is a paced beat; `?` one not classified while learning."""

AAMI_CLASS: dict[str, str] = {
    **dict.fromkeys("NLRBejn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VrE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""WFDB beat code -> class of EC57: N (not ectopic), S (supraventricular), V (ventricular), F, Q."""

STANDARD_LEADS = (
    "I",
    "II",
    "III",
    "aVR",
    "aVL",
    "aVF",
    "V1",
    "V2",
    "V3",
    "V4",
    "V5",
    "V6",
    "MLII",
    "ECG",
)
"""Names of leads. `ECG` stands for a lead whose position is unknown."""


class QualityCode(IntEnum):
    """What a lead was good for during one second; the worst that held is what is told."""

    USABLE = 0
    NOISY = 1  # muscle, motion: a beat may still be seen, its shape not
    BASELINE_JUMP = 2
    SATURATED = 3
    FLAT = 4  # connected, but nothing there: may be asystole
    LEAD_OFF = 5  # the device says so, or samples are missing (NaN)

    @property
    def label(self) -> str:
        """As shown to people."""
        return self.name.lower().replace("_", " ")


class EpisodeKind(IntEnum):
    """Stretches of rhythm; `wfdb` is the text of the WFDB rhythm annotation."""

    SINUS = 0
    SINUS_BRADYCARDIA = 1
    SINUS_TACHYCARDIA = 2
    AF = 3
    FLUTTER = 4
    SVT = 5
    PREEXCITATION = 6
    BIGEMINY = 7
    TRIGEMINY = 8
    VT = 9
    IDIOVENTRICULAR = 10
    VF = 11
    PAUSE = 12
    ASYSTOLE = 13
    NODAL = 14
    AV_BLOCK_2 = 15
    AV_BLOCK_3 = 16
    PACED = 17
    NOISE = 18
    COUPLET = 19
    RUN = 20

    @property
    def wfdb(self) -> str:
        """Text of the WFDB rhythm annotation, `(N`, `(AFIB` and so on."""
        return _WFDB_RHYTHM[self]

    @property
    def label(self) -> str:
        """As shown to people: `atrial fibrillation`."""
        return _RHYTHM_LABEL.get(self, self.name.lower().replace("_", " "))


_WFDB_RHYTHM = {
    EpisodeKind.SINUS: "(N",
    EpisodeKind.SINUS_BRADYCARDIA: "(SBR",
    EpisodeKind.SINUS_TACHYCARDIA: "(STACH",
    EpisodeKind.AF: "(AFIB",
    EpisodeKind.FLUTTER: "(AFL",
    EpisodeKind.SVT: "(SVTA",
    EpisodeKind.PREEXCITATION: "(PREX",
    EpisodeKind.BIGEMINY: "(B",
    EpisodeKind.TRIGEMINY: "(T",
    EpisodeKind.VT: "(VT",
    EpisodeKind.IDIOVENTRICULAR: "(IVR",
    EpisodeKind.VF: "(VFL",
    EpisodeKind.PAUSE: "(PSE",
    EpisodeKind.ASYSTOLE: "(ASYS",
    EpisodeKind.NODAL: "(NOD",
    EpisodeKind.AV_BLOCK_2: "(BII",
    EpisodeKind.AV_BLOCK_3: "(BIII",
    EpisodeKind.PACED: "(P",
    EpisodeKind.NOISE: "(NOISE",
    EpisodeKind.COUPLET: "(CPT",
    EpisodeKind.RUN: "(RUN",
}


_RHYTHM_LABEL = {
    EpisodeKind.SINUS: "sinus rhythm",
    # told by the rate: nobody has looked whether each beat has its P wave
    EpisodeKind.SINUS_BRADYCARDIA: "bradycardia",
    EpisodeKind.SINUS_TACHYCARDIA: "tachycardia",
    EpisodeKind.AF: "atrial fibrillation",
    EpisodeKind.FLUTTER: "atrial flutter",
    EpisodeKind.SVT: "supraventricular tachycardia",
    EpisodeKind.VT: "ventricular tachycardia",
    EpisodeKind.IDIOVENTRICULAR: "idioventricular rhythm",
    EpisodeKind.VF: "ventricular fibrillation or flutter",
    EpisodeKind.NODAL: "junctional rhythm",
    EpisodeKind.AV_BLOCK_2: "second-degree AV block",
    EpisodeKind.AV_BLOCK_3: "complete AV block",
    EpisodeKind.PACED: "paced rhythm",
    EpisodeKind.COUPLET: "ventricular couplet",
    EpisodeKind.RUN: "run of ventricular beats",
}


class BeatFlag(IntFlag):
    """What is special about the finding of a beat (not about the beat)."""

    SEARCH_BACK = 1  # found late, when no beat came in time
    PACED = 2  # a pacing pulse stands before it
    POOR_SIGNAL = 4  # found in a second that was not usable
    LEARNING = 8  # found before the thresholds had settled
