"""Annotation files are, byte by byte, those that the wfdb package writes."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb

from archive.mit import encode
from ecg import Annotations, BadRecord

CODES = {label.symbol: label.label_store for label in wfdb.io.annotation.ann_labels}
MARKS = Annotations(
    np.array([0, 10, 10, 400, 1424, 5000, 900_000]),
    ("+", "N", "V", "~", "~", "N", "+"),
    ("(AFIB", "", "", "", "", "", "(N"),
    (0, 0, 0, 0x30, 0, 0, 0),
)


@pytest.mark.parametrize("fs_hz", [None, 360.0, 257.5])
def test_bytes_are_those_of_wfdb(tmp_path, fs_hz):
    wfdb.wrann(
        "r",
        "trh",
        MARKS.sample,
        symbol=list(MARKS.symbol),
        aux_note=list(MARKS.aux),
        subtype=np.array(MARKS.subtype),
        fs=fs_hz,
        write_dir=str(tmp_path),
    )
    assert encode(MARKS, CODES, fs_hz).tobytes() == (tmp_path / "r.trh").read_bytes()


def test_a_text_that_does_not_fit_is_refused():
    marks = Annotations(np.array([5]), ("+",), ("x" * 256,))
    with pytest.raises(BadRecord, match="longer than 255"):
        encode(marks, CODES)
