from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg import Annotations


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real records."""
    folder = os.environ.get("TELERHYTHM_DATA")
    if not folder:
        pytest.skip("needs real records: set TELERHYTHM_DATA (data/README.md)")
    return Path(folder)


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """What WFDB's own programs print for the real records."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"needs reference results: {folder} is not there")
    return folder


@pytest.fixture
def beats() -> Callable[..., Annotations]:
    """Annotations from samples and symbols."""

    def make(sample: list[int], symbol: str, subtype: tuple[int, ...] = ()) -> Annotations:
        return Annotations(np.array(sample, np.int64), tuple(symbol), ("",) * len(symbol), subtype)

    return make


@pytest.fixture
def small_record(tmp_path: Path) -> Path:
    """Ten seconds of two leads at 360 Hz, in format 212 as MIT-BIH has it."""
    rng = np.random.default_rng(1)
    steps = rng.integers(-500, 500, (3600, 2))
    wfdb.wrsamp(
        "small",
        fs=360,
        units=["mV", "mV"],
        sig_name=["MLII", "v1"],
        d_signal=steps,
        fmt=["212", "212"],
        adc_gain=[200.0, 400.0],
        baseline=[24, -7],
        comments=["as a test"],
        write_dir=str(tmp_path),
    )
    return tmp_path / "small"
