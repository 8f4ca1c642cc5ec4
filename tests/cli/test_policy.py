"""``needs`` and ``simulate``: shapes, exactness, and one sentence for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.cli.main import answer


@pytest.fixture
def run(small_dataset: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: object) -> dict[str, Any]:
        assert answer([*map(str, words), "--dataset", str(small_dataset), "--format", "json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    return command


def test_needs_by_area_and_in_order(run: Any) -> None:
    found = run("needs", "sembako", "--order", 5)
    assert sum(area["quota"] for area in found["areas"]) == pytest.approx(18.3e6)
    assert [row["position"] for row in found["order"]] == [1, 2, 3, 4, 5]
    assert found["unit"] == "families"
    assert run("needs", "pkh", "--public")["budget"] is None


def test_simulate_and_its_code_agree(run: Any) -> None:
    found = run("simulate", "pkh", "--quota", "12000000", "--component", "primary=1000000", "--budget", "3e13")
    assert found["label"] == "simulated"
    assert found["code"] == "pkh~q12000000~cprimary:1000000"
    before, after = (found["figures"][f"served_{side}"] for side in ("before", "after"))
    # Places that stand empty today stay empty; who is served beyond the quota today counts towards it.
    assert after == pytest.approx(12e6 - max(10e6 - before, 0.0))
    assert found["budget_fit"]["cost"] <= 3e13
    again = run("simulate", "pkh", "--code", found["code"])
    assert again["figures"] == found["figures"]
    null = run("simulate", "pkh")["figures"]
    assert null["served_before"] == null["served_after"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("simulate", "pkh", "--deciles", "12"), "decile"), (("simulate", "pkh", "--quota=-5"), "quota"),
        (("simulate", "pkh", "--component", "primary"), "primary"), (("simulate", "nothing"), "not known"),
        (("simulate", "pkh", "--code", "pkh~zz"), "scenario code"), (("simulate", "pkh", "--budget", "0"), "budget"),
        (("simulate", "pkh", "--model", "gpt"), "gpt"), (("needs", "pkh", "--split", "luck"), "luck"),
        (("needs", "pip", "--order", "3"), "no decile"),
        (("needs", "pkh", "--order", "3", "--public"), "family numbers"),
        (("needs", "blts_kesra"), "in force"),
    ],
)  # fmt: skip
def test_misuse_ends_in_one_sentence(
    words: tuple[str, ...], said: str, small_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer([*words, "--dataset", str(small_dataset), "--lang", "en"]) == 2
    assert said in capsys.readouterr().err
