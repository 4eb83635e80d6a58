"""Patients of a hand-held recorder; their beats are those on which other detectors agree.

The records of PhysioNet's Challenge 2017 have one label each, and no beats. Four detectors that are
built in four ways mark them: where three agree is a beat, where none sees one is none, and what one
or two see is not learnt from. A record on which they agree too seldom is left out.
"""

from __future__ import annotations

import csv
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import neurokit2
import numpy as np
from numpy.typing import NDArray
from wfdb.processing import XQRS

from archive.read import read_record
from ecg import Annotations
from training.judge_cases import Case, with_noise

Samples = NDArray[np.int64]

VOTERS = "rodrigues2021", "kalidas2017", "hamilton2002"  # of NeuroKit2; the fourth is wfdb's XQRS
FILTERS = "neurokit", "neurokit", "hamilton2002"  # what cleans the signal for each
AGREED = 3  # voters that make a beat
TOGETHER_S = 0.12  # between the first and the last of those that mean one beat
UNSURE_SHARE = 0.15  # of the places where any saw a beat; more, and the record is left out
FEWEST = 15  # beats
SHORTEST_S = 25.0
N_RECORDS = 900
SEED = 17
FIRST_PATIENT = 5000  # number of the first one
NOISE_FROM_S = (5.0, 12.0)


@cache
def hand_held(folder: Path, workers: int) -> tuple[Case, ...]:
    """Records drawn at random, one lead each, with the beats that were agreed on.

    folder : that of `cinc2017`; workers : processes that mark them
    """
    with (folder / "REFERENCE.csv").open() as file:
        names = [name for name, label in csv.reader(file) if label != "~"]
    drawn = np.random.default_rng(SEED).choice(len(names), min(N_RECORDS, len(names)), False)
    paths = {path.stem: path for path in sorted(folder.rglob("*.hea"))}
    chosen = [paths[names[i]] for i in sorted(drawn)]
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(_agreed, range(len(chosen)), chosen, chunksize=10)
        return tuple(case for case in found if case is not None)


def noisy(case: Case, muscle: NDArray[np.float64], rng: np.random.Generator) -> Case:
    """The same amid muscle noise of -6 to 8 dB, but for the first seconds."""
    return with_noise(case, [muscle], None, rng, NOISE_FROM_S)


def _agreed(number: int, path: Path) -> Case | None:
    """A record with its beats, or None when it is short or the detectors disagree."""
    record = read_record(path.with_suffix(""))
    x_mv, fs_hz = np.ascontiguousarray(record.x_mv[:1], np.float32), record.fs_hz
    if x_mv.shape[1] < SHORTEST_S * fs_hz:
        return None
    places, votes = poll(marked(x_mv[0].astype(np.float64), fs_hz), round(TOGETHER_S * fs_hz))
    beats, unsure = places[votes >= AGREED], places[votes < AGREED]
    if beats.size < FEWEST or unsure.size > UNSURE_SHARE * places.size:
        return None
    truth = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
    return Case(FIRST_PATIENT + number, x_mv, fs_hz, truth, unsure)


def marked(x_mv: NDArray[np.float64], fs_hz: float) -> list[Samples]:
    """Beats by each of the four detectors; none where one gives up."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of records in which one of them finds little
        for method, cleaned in zip(VOTERS, FILTERS, strict=True):
            try:
                clean = neurokit2.ecg_clean(x_mv, sampling_rate=int(fs_hz), method=cleaned)
                _, info = neurokit2.ecg_peaks(clean, sampling_rate=int(fs_hz), method=method)
                found.append(np.asarray(info["ECG_R_Peaks"], np.int64))
            except (ValueError, IndexError, ZeroDivisionError):
                found.append(np.zeros(0, np.int64))
        detector = XQRS(x_mv, fs_hz)
        detector.detect(verbose=False)
        found.append(np.asarray(detector.qrs_inds, np.int64))
    return found


def poll(found: list[Samples], together: int) -> tuple[Samples, Samples]:
    """Places where any detector saw a beat, and how many did there.

    found : samples of each detector; together : samples from first to last of one place
    """
    at = np.concatenate(found)
    who = np.repeat(np.arange(len(found)), [one.size for one in found])
    order = np.argsort(at, kind="stable")
    at, who = at[order], who[order]
    places, votes, begin = [], [], 0
    while begin < at.size:
        end = int(np.searchsorted(at, at[begin] + together, "right"))
        places.append(int(np.median(at[begin:end])))
        votes.append(np.unique(who[begin:end]).size)
        begin = end
    return np.array(places, np.int64), np.array(votes, np.int64)
