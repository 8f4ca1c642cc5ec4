"""Sealed tables of the first page from invented figures: a nation, or a small dataset with tiny cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from dtsen_core.policy.programme_rules import summary_keys
from dtsen_core.policy.summary import UNKNOWN_BAND, NationalState, bands
from dtsen_core.present.ringkasan import Sealed, seal
from dtsen_core.regions import units
from dtsen_core.registry.manifest import Manifest


def provinces_frame(families: np.ndarray, share: np.ndarray) -> pd.DataFrame:
    table = units.table("province").head(len(families))
    frame = table[["code", "name"]].assign(n=np.maximum(families / 238, 1).round(), families=families)
    frame["persons"] = families * 3.0
    frame["families_d14"] = np.round(families * share)
    return frame.assign(share_d14=frame["families_d14"] / frame["families"].where(frame["families"] > 0))


def deciles_frame(families: float) -> pd.DataFrame:
    decile = np.arange(11)
    frame = pd.DataFrame({"decile": decile, "n": np.full(11, families / 238), "families": np.full(11, families)})
    frame.loc[0, ["n", "families"]] = 0
    frame["persons"] = frame["families"] * 3
    for p in summary_keys():
        covered = (0.7 - 0.06 * decile) * frame[p.unit]
        frame[p.key] = covered.round()
        if p.other:
            frame[f"{p.key}_uncovered"] = ((frame[p.unit] - frame[p.key]) * 0.6).round()
        frame[f"{p.key}_rate"] = frame[p.key] / frame[p.unit].where(frame[p.unit] > 0)
    return frame


def freshness_frame(families: float) -> pd.DataFrame:
    keys = [band.key for band in bands()] + [UNKNOWN_BAND]
    weights = np.array([0.3, 0.2, 0.1, 0.15, 0.25])
    return pd.DataFrame(
        {
            "band": keys,
            "n_update": weights * families / 238,
            "update": weights * families,
            "n_ground_check": weights * families / 238,
            "ground_check": weights[::-1] * families,
        }
    )


@pytest.fixture
def state() -> Callable[..., NationalState]:
    """Callable: total families and number of provinces → unpublished tables."""

    def make(families: float = 95e6, provinces: int = 38, model: bool = True) -> NationalState:
        parts = np.linspace(0.4, 1.6, provinces) * families / provinces
        frame = provinces_frame(parts.round(), np.linspace(0.2, 0.7, provinces))
        nation = frame[["n", "families", "persons", "families_d14"]].sum().to_frame().T.assign(code="ID")
        nation["share_d14"] = nation["families_d14"] / nation["families"]
        poverty = pd.DataFrame(
            {"code": ["ID"], "n": [400_000], "families": [families], "persons": [families * 3],
             "poor_persons": [families * 0.25], "p0": [0.0852], "p0_low": [0.0838], "p0_high": [0.0866]}
        )  # fmt: skip
        return NationalState(
            nation=nation,
            provinces=frame,
            deciles=deciles_frame(families / 10),
            poverty=poverty if model else None,
            why_no_poverty="" if model else "ringkasan.no_model_real",
            freshness=freshness_frame(families),
            median_age={"update": 96.0, "ground_check": 410.0},
            share_of_registry=families / 95e6,
        )

    return make


@pytest.fixture
def manifest() -> Callable[[str], Manifest]:
    def make(origin: str = "simulated") -> Manifest:
        return Manifest(
            origin=origin, version=f"uji-{origin}", as_of="2026-01-23", created="2026-02-01T00:00:00",
            families=400_000, persons=1_200_000, registry_families=95e6, registry_persons=285e6,
            programmes=["pkh", "sembako", "blt_desa", "pbi", "pbi_pemda", "pip"],
        )  # fmt: skip

    return make


@pytest.fixture
def national(state: Callable[..., NationalState], manifest: Callable[[str], Manifest]) -> Sealed:
    return seal(state(), manifest("simulated"))


@pytest.fixture
def local(state: Callable[..., NationalState], manifest: Callable[[str], Manifest]) -> Sealed:
    """A real dataset of 120 families in two provinces, without a model."""
    return seal(state(families=120.0, provinces=2, model=False), manifest("real"))
