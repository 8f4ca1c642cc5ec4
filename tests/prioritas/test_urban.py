"""Urban shares of areas: against the families themselves, and empty where the data do not tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dtsen_core.policy.urban import urban_share
from dtsen_core.registry.dataset import Dataset


def test_shares_agree_with_the_families(small_dataset: Path) -> None:
    opened = Dataset.open(small_dataset)
    found = urban_share(opened, "regency", "32")
    assert found["code"].str.startswith("32").all()
    assert found["urban_share"].between(0, 1).all()
    kota = found[found["name"].str.startswith("Kota")]["urban_share"].mean()
    assert kota > found[~found["name"].str.startswith("Kota")]["urban_share"].mean()
    nation = urban_share(opened, "province")
    direct = opened.cursor().execute(
        "SELECT sum(w.weight) FROM family_packed AS f JOIN area_weight AS w USING (regency) WHERE f.urban = 1"
    ).fetchone()  # fmt: skip
    assert nation["urban_families"].sum() == pytest.approx(direct[0])
    untold = replace(opened, manifest=replace(opened.manifest, urban_known=False))
    assert urban_share(untold, "regency").empty
