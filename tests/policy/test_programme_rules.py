"""Programme rules: dated files, every problem told, a planner's own file without code."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.policy import programme_rules as rules
from dtsen_core.settings import settings

OWN = """
key = "bantuan_daerah"
name = { id = "Bantuan daerah", en = "Local grant" }
unit = "families"
[[period]]
valid_from = 2026-01-01
valid_to = 2026-06-30
decile_from = 1
decile_to = 3
amount = 1_200_000
source = "Perda 1/2026"
[[period]]
valid_from = 2026-07-01
decile_from = 1
decile_to = 2
source = "Perda 2/2026"
"""


def test_our_files_hold_the_published_rules() -> None:
    found = {rule.key: rule for rule in rules.rules_on("2026-01-23")}
    assert {key: (rule.decile_from, rule.decile_to) for key, rule in found.items()} == {
        "pkh": (1, 4), "sembako": (1, 5), "pbi": (1, 5), "pip": (None, None), "blt_desa": (None, None),
        "kip_kuliah": (1, 4), "sekolah_rakyat": (1, 2),
    }  # fmt: skip
    assert found["kip_kuliah"].last_decile == 5
    assert (found["pkh"].quota, found["sembako"].quota, found["pbi"].quota) == (10e6, 18.3e6, 96.8e6)
    assert {c.key: (c.amount, c.cap) for c in found["pkh"].components} == {
        "pregnancy": (3e6, 2), "early_childhood": (3e6, 2), "primary": (0.9e6, None), "junior": (1.5e6, None),
        "senior": (2e6, None), "severe_disability": (2.4e6, None), "elderly": (2.4e6, None),
    }  # fmt: skip
    assert found["pip"].amount is None
    assert not found["pip"].priced
    assert all(rule.source for rule in found.values())


def test_the_effective_date_decides() -> None:
    assert "blts_kesra" in {rule.key for rule in rules.rules_on(dt.date(2025, 12, 31))}
    assert "blts_kesra" not in {rule.key for rule in rules.rules_on(dt.date(2026, 1, 1))}
    assert "pkh" not in {rule.key for rule in rules.rules_on("2025-05-25")}
    assert {rule.key for rule in rules.summary_rules("2025-04-23")} == {"pkh", "sembako", "pbi"}


def test_a_planner_adds_a_programme_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    monkeypatch.setattr(settings(), "programmes", tmp_path)
    assert rules.rule_on("bantuan_daerah", "2026-06-30").decile_to == 3
    assert rules.rule_on("bantuan_daerah", "2026-07-01").amount is None
    with pytest.raises(UserError, match="in force"):
        rules.rule_on("bantuan_daerah", "2025-12-31")
    (tmp_path / "own.toml").write_text(OWN.replace("decile_to = 3", "decile_to = 6"), encoding="utf-8")
    assert rules.rule_on("bantuan_daerah", "2026-06-30").decile_to == 6
    with pytest.raises(UserError, match="pkh"):
        rules.rule_on("tidak_ada", "2026-01-01")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("valid_to = 2026-06-30", "valid_to = 2025-06-30", "before it begins"),
        ("valid_to = 2026-06-30", "valid_to = 2026-08-01", "overlap"),
        ("decile_to = 3", "decile_to = 14", "is not a decile"),
        ("decile_from = 1\ndecile_to = 3", "decile_from = 4\ndecile_to = 3", "rising order"),
        ("amount = 1_200_000", "quota = -5", "above zero"),
        ("amount = 1_200_000", "amount = nan", "above zero"),
        ("amount = 1_200_000", 'amount = "components"', "belong together"),
        ('unit = "families"', 'unit = "persons"\nflag = "pkh"', "counts families"),
        ('unit = "families"', 'unit = "families"\nflag = "id_keluarga"', "choose among"),
        ('unit = "families"', 'unit = "families"\ncondition = "1=1"', "choose among"),
        ("valid_from = 2026-01-01", 'valid_from = "2026-01-01"', "not a date"),
        ('en = "Local grant"', 'en = ""', "in id and in en"),
        ("[[period]]", "[[masa]]", "no [[period]]"),
        ("key =", "key", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(old: str, new: str, said: str) -> None:
    assert old in OWN
    with pytest.raises(rules.ProgrammeProblems) as refused:
        rules.parse(OWN.replace(old, new), "own.toml")
    assert said in refused.value.message("en")
    assert refused.value.message("id") != refused.value.message("en")


def test_all_problems_are_told_together() -> None:
    broken = OWN.replace("decile_to = 3", "decile_to = 14\nquota = -1").replace('unit = "families"', "colour = 1")
    with pytest.raises(rules.ProgrammeProblems) as refused:
        rules.parse(broken, "own.toml")
    assert len(refused.value.problems) == 4


def read(text: str) -> str:
    """What a person sees of `text`: the programme's key, or sentences."""
    try:
        return rules.parse(text, "x.toml").key
    except UserError as error:
        return error.message("id")


@given(st.text(max_size=300))
def test_any_text_is_a_programme_or_a_sentence(text: str) -> None:
    assert read(text)


VALUES = ["1", "[]", "{}", '"x"', "true", "2026-01-01", "-1e300", "[[]]"]


@pytest.mark.parametrize("line", [line for line in OWN.splitlines() if "=" in line])
@pytest.mark.parametrize("value", VALUES)
def test_any_value_in_any_place_is_a_programme_or_a_sentence(line: str, value: str) -> None:
    assert read(OWN.replace(line, f"{line.split('=')[0]}= {value}", 1))
