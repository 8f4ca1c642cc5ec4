"""What a ranking stands on, kept in memory: H as a ladder, and the expenditure distribution of every regency.

Another scope, unit, poverty line, benchmark or level of the same scorecard follows from it without a scan of the
families and without convolving again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.policy.area_measures import Spread
from dtsen_core.policy.areas import weights
from dtsen_core.policy.models import residuals_for
from dtsen_core.rank import engine
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.ladder import Ladder
from dtsen_core.rank.queue import LINE
from dtsen_core.rank.scorecard import Scorecard
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]

LADDER_BYTES, SPREADS, WEIGHTS = 500_000_000, 24, 8


@dataclass(frozen=True, eq=False)
class Weights:
    """By regency idx: families a row stands for, and the factor to the survey's population."""

    families: Floats
    survey: Floats


_ladders: Cache[Ladder] = Cache(LADDER_BYTES, lambda ladder: ladder.nbytes)
_spreads: Cache[Spread | None] = Cache(SPREADS, lambda value: 1)
_weights: Cache[Weights] = Cache(WEIGHTS, lambda value: 1)


def forget() -> None:
    """Empty the caches, H included (benches, and whoever wants a ranking made anew)."""
    engine.forget()
    _ladders.clear()
    _spreads.clear()


def weights_of(dataset: Dataset) -> Weights:
    return _weights.get((str(dataset.path), dataset.version), lambda: Weights(*weights(dataset)))


def ready(dataset: Dataset, card: Scorecard, *, plain: bool) -> bool:
    """Whether `ladder_of` and `spread_of` answer from memory."""
    place = (str(dataset.path), dataset.version)
    return (*place, card.hash) in _ladders and (*place, card.name, card.hash, plain) in _spreads


def ladder_of(dataset: Dataset, card: Scorecard) -> Ladder:
    """The ladder of `card`; counted in turn (see `rank.queue`) when it is not in memory."""
    card.guard(dataset.manifest.origin)
    key = (str(dataset.path), dataset.version, card.hash)

    def fresh() -> Ladder:
        with LINE.turn():
            return Ladder.of(engine.rank_histogram(dataset, card))

    return _ladders.get(key, fresh)


def spread_of(dataset: Dataset, card: Scorecard, *, plain: bool) -> Spread | None:
    """Expenditure by regency under `card`, or the bare score (`plain`); None where it cannot be estimated."""
    card.guard(dataset.manifest.origin)
    key = (str(dataset.path), dataset.version, card.name, card.hash, plain)

    def fresh() -> Spread | None:
        with LINE.turn():
            model = None if plain else residuals_for(dataset, card)
            if model is None and not plain:
                return None
            load = weights_of(dataset)
            return Spread.of(engine.rank_histogram(dataset, card), model, load.families * load.survey)

    return _spreads.get(key, fresh)
