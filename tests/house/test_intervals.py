"""The score interval against published values."""

from __future__ import annotations

import numpy as np
import pytest

from dtsen_core.intervals import Z90, wilson


@pytest.mark.parametrize(("hits", "of", "low", "high"), [
    (81, 263, 0.2553, 0.3662),  # Newcombe (1998), Table I
    (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
    (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (998, 1000, 0.9927, 0.9995),
])  # fmt: skip
def test_published_intervals(hits: int, of: int, low: float, high: float) -> None:
    found = wilson([hits / of], [of])
    assert found[0][0] == pytest.approx(low, abs=5e-5)
    assert found[1][0] == pytest.approx(high, abs=5e-5)


def test_a_lower_level_is_narrower_and_nothing_counted_has_no_interval() -> None:
    wide, narrow = wilson([0.3], [100]), wilson([0.3], [100], Z90)
    assert wide[0][0] < narrow[0][0] < 0.3 < narrow[1][0] < wide[1][0]
    assert np.isnan(wilson([np.nan], [0])).all()
