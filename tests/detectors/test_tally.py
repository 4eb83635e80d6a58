"""Ventricular beats a minute and AF burden, against lists that are counted afresh."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import tally

seconds = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.booleans()), max_size=200
)


@settings(deadline=None)
@given(seconds)
def test_the_last_minute_is_counted_as_a_list_of_it_is(course):
    own = np.zeros(1, tally.TALLY)[0]
    beats, judged_af = [], []
    for second, (n_beats, late_s, judged, in_af) in enumerate(course):
        for _ in range(n_beats):
            beats.append(max(second - late_s, 0))
            tally.count_ventricular(own, beats[-1])
        tally.end_second(own, judged, in_af)
        judged_af += [in_af] if judged else []
        now = second + 1
        assert own["n_ectopic"] == sum(now - tally.SECONDS < b <= now for b in beats)
        burden = tally.af_burden(own)
        if judged_af:
            assert burden == np.float32(np.mean(judged_af))
        else:
            assert np.isnan(burden)


def test_the_burden_forgets_what_lies_an_hour_back():
    own = np.zeros(1, tally.TALLY)[0]
    for _ in range(3600):
        tally.end_second(own, True, True)
    assert tally.af_burden(own) == 1.0
    for _ in range(1800):
        tally.end_second(own, True, False)
    assert tally.af_burden(own) == 0.5
    for _ in range(1800):
        tally.end_second(own, True, False)
    assert tally.af_burden(own) == 0.0
