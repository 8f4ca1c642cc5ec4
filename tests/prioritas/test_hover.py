"""What hover and table of the ranking say about each figure, and how much that weighs on the wire."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dtsen_core import locale
from dtsen_core.policy import priority_plan, spatial
from dtsen_core.policy.priority_plan import Ranked
from dtsen_core.present import maps, numbers, prioritas, prioritas_charts, prioritas_hover, prioritas_spatial

NATION = {"pkh": 0.12, "p0": 0.1}
LINE = "DTSEN simulasi, 23 Januari 2026"
LIMIT = 40_000


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority_plan, "DRAWS", 60)


@pytest.fixture
def frame(frame: pd.DataFrame) -> pd.DataFrame:
    share = frame["uncovered_share"]
    return frame.assign(uncovered_share_low=share - 0.05, uncovered_share_high=share + 0.05,
                        uncovered_d15=share * frame["persons_d15"], pkh_families=frame["pkh"] * frame["families"],
                        pkh_low=frame["pkh"] * 0.9, pkh_high=frame["pkh"] * 1.1)  # fmt: skip


def evaluated(frame: pd.DataFrame, keys: tuple[str, ...] = (), **change: object) -> Ranked:
    plan = replace(priority_plan.default_plan(), **change)  # type: ignore[arg-type]
    if keys:
        known = plan.indicators()
        plan = replace(plan, items=tuple(priority_plan.default_item(known[k]) for k in keys))
    return priority_plan.evaluate(plan, frame, NATION)


def read(hover: prioritas_hover.Hover, position: int) -> str:
    """The hover of one area as Plotly writes it (decimal point)."""
    template = next(words for where, words in hover.groups if position in where)

    def figure(found: re.Match[str]) -> str:
        return format(float(hover.facts[position, int(found[1])]), found[2].replace("~", ""))

    return re.sub(r"%\{customdata\[(\d+)\]:([^}]+)\}", figure, template)


@pytest.mark.parametrize("lang", locale.LANGS)
def test_every_figure_has_value_unit_interval_count_n_source_and_day(frame: pd.DataFrame, lang: str) -> None:
    ranked = evaluated(frame, ("p0", "uncovered_share", "sanitation"), within="35")
    words = read(prioritas_hover.make(ranked, LINE, lang), 0)
    code = str(ranked.table.index[0])
    row = frame.loc[code]
    for known in (f"{row['p0']:.1%}", f"{row['p0_low']:.1%}–{row['p0_high']:.1%}", f"{row['poor_persons']:,.0f}",
                  f"{row['uncovered_share']:.1%}", f"{row['uncovered_d15']:,.0f}", "n = 400", LINE,
                  f"{ranked.data.at[code, 'sanitation']:.2%}", "BPS", "2021"):  # fmt: skip
        assert known in words
    assert all(i.unit[lang] in words for i in (ranked.indicators[k] for k in ("p0", "uncovered_share")))
    said = prioritas_hover.sources(ranked, LINE, lang)
    assert LINE in said
    assert "2021" in said


def test_the_table_carries_interval_partner_and_n_of_every_indicator(frame: pd.DataFrame) -> None:
    ranked = evaluated(frame, ("p0", "uncovered_share"))
    table, titles = prioritas_hover.figures(ranked, "id")
    assert list(table) == list(titles)
    first = frame.loc[table.index[0]]
    assert table["p0.low"].iloc[0] == pytest.approx(first["p0_low"] * 100, rel=1e-5)
    assert table["p0.partner"].iloc[0] == pytest.approx(first["poor_persons"], rel=1e-5)
    assert table["n"].eq(400).all()
    both, _ = prioritas_hover.figures(evaluated(frame, ("p0", "poor_persons")), "id")
    assert "p0.partner" not in both  # the count has a column of its own


def test_an_unknown_figure_is_called_unknown(frame: pd.DataFrame) -> None:
    frame.loc["1101", ["p0", "p0_low", "p0_high", "poor_persons"]] = np.nan
    ranked = evaluated(frame, ("p0", "uncovered_share"), within="11")
    words = read(prioritas_hover.make(ranked, LINE, "id"), list(ranked.table.index).index("1101"))
    assert words.count("tidak diketahui") == 2
    assert "tidak diperingkat" in words
    assert not re.search(r"\bnan\b", words.lower())


def test_bars_and_clusters_trace_their_figures_too(frame: pd.DataFrame) -> None:
    ranked = evaluated(frame, ("p0", "sanitation"), within="35")
    bars = prioritas_charts.contributions(ranked, LINE, "id").data
    code = str(ranked.table.index[0])
    figure = str(bars[0].customdata[-1][0])  # the first area is drawn last, at the top
    assert numbers.percent(frame.at[code, "p0"], "id") in figure
    assert "selang 90%" in figure
    assert "n = 400" in figure
    assert LINE in bars[0].hovertemplate
    assert "2021" in bars[1].hovertemplate
    frame["p0"] = np.where(frame.index.str[:2] > "90", 0.35, 0.05) + frame["p0"] / 100
    frame["p0_low"], frame["p0_high"] = frame["p0"] * 0.9, frame["p0"] * 1.1
    graph = {c: [d for d in frame.index if d[:2] == c[:2] and d != c] for c in frame.index}
    local = spatial.local_moran(frame["p0"], graph, permutations=0)
    overall = spatial.moran(frame["p0"], graph, permutations=0)
    found = prioritas_spatial.Clusters(overall, local)
    indicator = ranked.indicators["p0"]
    hover = prioritas_spatial.hover(found, indicator, frame["p0"], frame, LINE, "id")
    words = read(hover, 0)
    row = frame.iloc[0]
    for known in (f"{row['p0']:.1%}", f"{row['p0_low']:.1%}–{row['p0_high']:.1%}", "n = 400", LINE, "q = "):
        assert known in words
    table = prioritas_spatial.table(found, "moran", indicator, frame["p0"], frame, "id")
    assert {"n (keluarga)", "Selang 90%: dari", "sampai"} <= set(table)
    high = local.index[local["label"] == "HH"]
    assert prioritas_spatial.map_rows(found, "moran")["doubt"].sum() == 0
    held = pd.Series(3, index=local.index)
    held[high[0]] = 2
    lasting = prioritas_spatial.map_rows(replace(found, held=held, versions=3), "moran").set_index("code")["doubt"]
    assert lasting[lasting > 0].index.tolist() == [high[0]]


EIGHT = ("p0", "uncovered_share", "pkh", "share_d14", "p1", "sanitation", "water", "p0_official")


@pytest.mark.parametrize("keys", [(), EIGHT])
def test_the_map_message_stays_small(frame: pd.DataFrame, keys: tuple[str, ...]) -> None:
    frame["share_d14"] = np.random.default_rng(2).uniform(0.1, 0.6, len(frame))
    ranked = evaluated(frame, keys)
    hover = prioritas_hover.make(ranked, LINE, "id")
    style = maps.MapStyle("app/static/a.json", "app/static/b.json", "app/static/map/style.json",
                          prioritas.COLOURS["light"], "light")  # fmt: skip
    figure = maps.choropleth(prioritas.map_rows(ranked), style, (95, -11, 141, 6), hover=hover, corner="Indonesia",
                             hint="", note="", lang="id")  # fmt: skip
    assert len(figure.to_json()) <= LIMIT
    assert ("indikator lain" in hover.groups[0][1]) or not keys
