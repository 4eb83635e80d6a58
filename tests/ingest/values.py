"""Whatever CBOR can say, for hypothesis."""

from __future__ import annotations

import cbor2
from hypothesis import strategies as st

NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats() | st.booleans()
SCALARS = st.none() | NUMBERS | st.text(max_size=20) | st.binary(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.builds(cbor2.CBORTag, st.sampled_from((40, 64, 73, 77, 78, 85, 99)), inner)
    ),
    max_leaves=6,
)
