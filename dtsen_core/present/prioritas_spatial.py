"""What the spatial statistics say: clusters as classes, their sentences, their persistence over versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy import spatial
from dtsen_core.policy.priority_rules import Indicator
from dtsen_core.policy.spatial import GlobalResult
from dtsen_core.present import numbers, prioritas_hover
from dtsen_core.present.peta_hover import Hover, patterns
from dtsen_core.regions import units

METHODS = ("moran", "getis")
CLASSES = {
    "moran": ("HH", "LL", "HL", "LH", spatial.NOT_SIGNIFICANT, spatial.NO_NEIGHBOURS),
    "getis": ("hot", "cold", spatial.NOT_SIGNIFICANT, spatial.NO_NEIGHBOURS),
}
"""Labels of each method in the order of their classes 1, 2 …; "missing" is class 0."""
_TONES = {
    "light": {"HH": "#D55E00", "LL": "#0072B2", "HL": "#E69F00", "LH": "#56B4E9", "hot": "#D55E00", "cold": "#0072B2",
              spatial.NOT_SIGNIFICANT: "#EDEFEC", spatial.NO_NEIGHBOURS: "#B7A7C9"},
    "dark": {"HH": "#E8762B", "LL": "#3D9BE0", "HL": "#E6B04A", "LH": "#8CCBF0", "hot": "#E8762B", "cold": "#3D9BE0",
             spatial.NOT_SIGNIFICANT: "#2B373B", spatial.NO_NEIGHBOURS: "#6E5C85"},
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Clusters:
    """Global and local statistic of one indicator, and the names of the versions in which each area's label was the
    same (`held`, by code; the version in service counts)."""

    overall: GlobalResult
    local: pd.DataFrame
    held: pd.Series | None = None
    versions: int = 1


def colours(method: str) -> dict[str, tuple[str, ...]]:
    return {mode: tuple(tones[label] for label in CLASSES[method]) for mode, tones in _TONES.items()}


def label_text(method: str, label: str, lang: str) -> str:
    key = {spatial.NOT_SIGNIFICANT: "none", spatial.NO_NEIGHBOURS: "island"}.get(label, label)
    return locale.text(f"prioritas.cluster_{key.lower()}", lang)


def passing(found: Clusters) -> pd.Series:
    """Which areas in a cluster did not have its label in every version compared; none where only one version is."""
    cluster = ~found.local["label"].isin([spatial.NOT_SIGNIFICANT, spatial.NO_NEIGHBOURS, spatial.MISSING])
    if found.held is None:
        return cluster & False
    return cluster & (found.held.reindex(found.local.index).fillna(0) < found.versions)


def map_rows(found: Clusters, method: str) -> pd.DataFrame:
    """code, klass and doubt of every area: paler where the label did not last over the versions."""
    order = {label: number for number, label in enumerate(CLASSES[method], start=1)}
    klass = found.local["label"].map(order).fillna(0).astype(int)
    doubt = passing(found).to_numpy(dtype="int8")
    return pd.DataFrame({"code": found.local.index, "klass": klass.to_numpy(), "doubt": doubt})


def hover(
    found: Clusters, indicator: Indicator, values: pd.Series, area: pd.DataFrame, data_line: str, lang: str, *,
    sampled: bool = True,
) -> Hover:  # fmt: skip
    """The indicator with unit, interval and count, the local statistic with p and q, n and source of every area;
    areas without figure or neighbours say so. `values` and `area` (published figures) by code."""
    local = found.local
    facts = prioritas_hover.facts_of(indicator, prioritas_hover.columns(indicator, values.reindex(local.index), area))
    names = {name.rpartition(".")[2]: name for name in facts}
    for name, places in (("statistic", 3), ("p", 4), ("q", 4)):
        facts[name] = prioritas_hover.short(local[name], places)
    facts["n"] = prioritas_hover.short(area["n"].reindex(local.index), 0)
    at = {name: position for position, name in enumerate(facts)}
    array = np.array(list(facts.values()), dtype=object).T
    missing = np.asarray(pd.isna(array), dtype=bool)
    groups = []
    for where in patterns(missing):
        lacking = {name for name, position in at.items() if missing[where[0], position]}
        out = ["<b>%{properties.name}</b>", prioritas_hover.line(indicator, names, at, lacking, lang)]
        if "statistic" in lacking:
            out.append(locale.text("prioritas.spatial_no_figure", lang))
        else:
            told = {name: f"%{{customdata[{at[name]}]:.{n}f}}" for name, n in (("statistic", 3), ("p", 4), ("q", 4))}
            out.append(locale.text("prioritas.spatial_hover", lang, **told))
        few = sampled and indicator.origin == "registry" and "n" not in lacking
        out += [locale.text("prioritas.hover_n", lang, n=f"%{{customdata[{at['n']}]:,.0f}}")] if few else []
        out += [data_line] if indicator.origin == "registry" else []
        groups.append((where, "<br>".join(out)))
    return Hover(array, tuple(groups))


def finding(found: Clusters, method: str, label: str, lang: str) -> str:
    """Whether neighbours resemble each other, and how many areas form clusters of much need."""
    top = "HH" if method == "moran" else "hot"
    count = int((found.local["label"] == top).sum())
    low = int((found.local["label"] == ("LL" if method == "moran" else "cold")).sum())
    key = "prioritas.spatial_finding" if found.overall.p <= 0.05 else "prioritas.spatial_finding_none"
    return locale.text(key, lang, label=label, i=numbers.number(found.overall.statistic, lang, 3),
                       p=numbers.number(found.overall.p, lang, 4), high=count, low=low)  # fmt: skip


def persistence_sentence(found: Clusters, method: str, lang: str) -> str:
    top = "HH" if method == "moran" else "hot"
    if found.held is None:
        return ""
    high = found.local.index[found.local["label"] == top]
    always = int((found.held.reindex(high) == found.versions).sum())
    return locale.text("prioritas.persistence", lang, always=always, high=len(high), versions=found.versions)


def table(
    found: Clusters, method: str, indicator: Indicator, values: pd.Series, area: pd.DataFrame, lang: str
) -> pd.DataFrame:
    """Areas in a cluster, the strongest first, with value, interval, n, z, p and q; `values`, `area` by code."""
    local = found.local[~found.local["label"].isin([spatial.NOT_SIGNIFICANT, spatial.NO_NEIGHBOURS, spatial.MISSING])]
    local = local.sort_values(["q", "p"])
    out = pd.DataFrame({
        locale.text("prioritas.column_name", lang): [units.label(str(code)) for code in local.index],
        locale.text("prioritas.column_cluster", lang): [label_text(method, x, lang) for x in local["label"]],
        prioritas_hover.title(indicator, lang): _shown(indicator, values.reindex(local.index)),
        "z": local["z"].round(2).to_numpy(),
        "p": local["p"].round(4).to_numpy(),
        "q": local["q"].round(4).to_numpy(),
    })  # fmt: skip
    if found.held is not None:
        out.insert(2, locale.text("prioritas.column_held", lang), [
            f"{int(k)}/{found.versions}" for k in found.held.reindex(local.index).fillna(0)
        ])  # fmt: skip
    facts = prioritas_hover.columns(indicator, values.reindex(local.index), area)
    for side in ("low", "high"):
        if side in facts:
            out[locale.text(f"prioritas.column_interval_{side}", lang)] = _shown(indicator, facts[side])
    if indicator.origin == "registry":
        out[locale.text("prioritas.column_n", lang)] = area["n"].reindex(local.index).to_numpy()
    return out


def _shown(indicator: Indicator, values: pd.Series) -> np.ndarray:
    """Figures as the table shows them: rates in per cent, rounded."""
    rate = indicator.kind == "rate"
    return (values * 100 if rate else values).round(indicator.decimals).to_numpy()


def agreement(labels: Sequence[pd.Series]) -> pd.Series:
    """In how many of the maps each area has the label of the last one."""
    now = labels[-1]
    return pd.concat([past.reindex(now.index) == now for past in labels], axis=1).sum(axis=1)
