from __future__ import annotations

import pytest

from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.welfare import RankRequest, RankResult
from dtsen_core.ui import cache_peringkat
from tests.peringkat import fake


class _Version:
    version = "uji"


@pytest.fixture
def ranked():
    """Callable: request fields → (RankResult, published areas, published total) of the stand-in engine."""

    def make(**fields: object) -> tuple[RankResult, Published, Published]:
        result = fake.full_ranking(_Version(), RankRequest(**fields))  # type: ignore[arg-type]
        unit = result.request.unit
        return (
            result,
            cache_peringkat.publish(result.areas, unit, "simulated"),
            cache_peringkat.publish(result.total, unit, "simulated"),
        )

    return make
