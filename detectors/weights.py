"""The trained weights, as the kernel takes them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.trees import MODELS, Forest, load
from ecg import BadSetting


class Judges(NamedTuple):
    """Which peaks are beats.

    networks : float32 [3, detectors.judge.N_WEIGHTS]: of one lead, of several, of first beats
    doubt : what is added to the log odds of later beats where they are near 0
    """

    networks: NDArray[np.float32]
    doubt: Forest


class Models(NamedTuple):
    """Judges of peaks; weights of fibrillation; forests of AF and of classes of beats.

    A kernel is handed that part alone which it needs: arrays are handed on one by one, and that
    takes time for each beat.
    """

    judges: Judges
    vf: NDArray[np.float32]
    af: Forest
    ventricular: Forest
    supraventricular: Forest


@cache
def models() -> Models:
    """The shipped models.

    Raises
    ------
    BadSetting
        If one of them cannot be read.
    """
    networks = np.vstack([_read("judge", "weights"), _read("first", "weights")])
    vf = _read("fibrillation", "weights")
    beats = load("beats")
    return Models(
        Judges(networks, load("doubt")["doubt"]), vf, load("af")["af"],
        beats["ventricular"], beats["supraventricular"],
    )  # fmt: skip


def _read(name: str, key: str) -> NDArray[np.float32]:
    path = MODELS / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return np.asarray(file[key], np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise BadSetting(f"{path}: no readable model; `make train` writes it") from error
