"""The rules file of the map: complete, and refused when a rate would travel without its count."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtsen_core import locale
from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES
from dtsen_core.policy.map_indicators import load_rules, map_rules

RULE_FILE = RULES / "map_indicators.toml"


def test_every_measure_has_a_partner_of_the_other_kind() -> None:
    rules = map_rules()
    for indicator in rules.indicators.values():
        partner = rules.partner(indicator)
        assert "count" in {indicator.kind, partner.kind}, indicator.key
        assert indicator.kind != partner.kind, indicator.key


def test_the_measures_the_map_must_offer_are_there() -> None:
    offered = {i.key for i in map_rules().offered()}
    wanted = {"share_d14", "p0", "poor_persons", "p1", "p2", "gini", "mean_expenditure", "mean_score"}
    wanted |= {"pkh", "sembako", "pbi", "uncovered_d15", "families", "persons"}
    assert wanted <= offered


def test_every_base_and_level_has_its_words() -> None:
    for indicator in map_rules().indicators.values():
        assert locale.has(f"peta.{indicator.base}")


@pytest.mark.parametrize(
    ("found", "instead", "complaint"),
    [
        ('partner = "families_d14"', 'partner = "p0"', "share_d14.partner"),
        ('numerator = "families_d14"', 'numerator = ""', "share_d14 is a rate without"),
        ('classify = "natural"', 'classify = "guess"', "classify = 'guess'"),
        ('light = ["#DCEFC6", ', "light = [", "scale.need"),
    ],
)
def test_a_contradiction_in_the_file_is_named(tmp_path: Path, found: str, instead: str, complaint: str) -> None:
    text = RULE_FILE.read_text(encoding="utf-8")
    assert found in text
    broken = tmp_path / "map_indicators.toml"
    broken.write_text(text.replace(found, instead, 1), encoding="utf-8")
    with pytest.raises(InternalError, match=complaint.replace("(", r"\(")):
        load_rules(broken)
