"""Two maps against each other: two measures, or one measure at two dates; the difference and what it says.

B − A in points for two rates, in the unit for two means of one measure, in per cent for counts of one measure;
two measures in different units are compared by rank. A difference within the two 90 % intervals together is
marked as such (the intervals are added as independent, which is cautious where both are drawn from the same
families).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.present import numbers
from dtsen_core.present.peta import LegendEntry, areas_text
from dtsen_core.present.peta_classes import Classes, significant

KINDS = ("points", "unit", "percent", "ranks")


@dataclass(frozen=True)
class Side:
    """One of the two maps: its name, measure, partner, rows (`peta.rows`), the day it speaks of and the line that says
    where its figures come from."""

    label: str
    rule: MapIndicator
    partner: MapIndicator
    rows: pd.DataFrame
    date: str
    source: str = ""


@dataclass(frozen=True)
class Difference:
    """`rows`: code, name, klass (1–5 around no difference, 0 unknown), doubt, value (B − A in `kind`), margin (half of
    its 90 % interval, NaN where there is none), and of either side (``a``, ``b``) the figure, ``_partner``, ``_n`` and
    the words ``_text``, ``_partner_text`` and ``_interval``."""

    kind: str
    rows: pd.DataFrame
    classes: Classes
    a: Side
    b: Side


def kind_of(a: MapIndicator, b: MapIndicator) -> str:
    """How two measures can be subtracted."""
    if a.key == b.key:
        return {"rate": "points", "mean": "unit", "count": "percent"}[a.kind]
    return "points" if a.kind == b.kind == "rate" else "ranks"


def difference(a: Side, b: Side) -> Difference:
    """B − A over the areas both sides have, in the order of A."""
    kind = kind_of(a.rule, b.rule)
    other = b.rows.set_index("code").reindex(a.rows["code"]).reset_index()
    rows = a.rows[["code", "name"]].copy()
    for letter, side in (("a", a.rows), ("b", other)):
        rows[letter], rows[f"{letter}_text"] = side["value"], side["value_text"]
        rows[f"{letter}_partner"], rows[f"{letter}_partner_text"] = side["partner"].astype(float), side["partner_text"]
        rows[f"{letter}_interval"], rows[f"{letter}_n"] = side["interval_text"], side["n"].astype("Int64")
    if kind == "ranks":
        ranks = (a.rows["rank"], other["rank"])
        rows["value"] = ranks[0].astype("Float64").astype(float) - ranks[1].astype("Float64").astype(float)
    elif kind == "percent":
        rows["value"] = rows["b"] / rows["a"].where(rows["a"] > 0) - 1
    else:
        rows["value"] = rows["b"] - rows["a"]
    rows["margin"] = _margin(a.rows, other, kind)
    rows["doubt"] = (rows["value"].abs() <= rows["margin"]).astype("int8")
    classes = _breaks(rows["value"].to_numpy(float), kind, a.rule)
    rows["klass"] = classes.assign(rows["value"].to_numpy(float))
    rows["rank"] = rows["value"].abs().rank(method="min", ascending=False).astype("Int64")
    return Difference(kind, rows, classes, a, b)


def _margin(a: pd.DataFrame, b: pd.DataFrame, kind: str) -> pd.Series:
    """Both half intervals together; NaN where the difference is none of two rates."""
    if kind != "points":
        return pd.Series(np.nan, index=a.index)
    half = [(side["high"] - side["low"]).to_numpy(float) / 2 for side in (a, b)]
    return pd.Series(np.hypot(*half), index=a.index)


def _breaks(values: np.ndarray, kind: str, rule: MapIndicator) -> Classes:
    """Four breaks, symmetric about no difference: at the third and at the nine tenths of the absolute values."""
    size = np.abs(values[np.isfinite(values)])
    if not len(size) or not size.max():
        return Classes(())
    edges = []
    for share in (1 / 3, 0.9):
        edge = float(np.quantile(size, share))
        edges.append(max(round(edge, significant(edge)) if edge else 0.0, 10.0 ** -decimals_of(kind, rule)))
    small, large = edges
    large = large if large > small else small * 2
    return Classes((-large, -small, small, large))


def decimals_of(kind: str, rule: MapIndicator) -> int:
    """Decimals of the raw difference that can be seen on screen."""
    return {"points": rule.decimals + 2, "percent": 3, "ranks": 0, "unit": rule.decimals}[kind]


def text(kind: str, value: float, rule: MapIndicator, lang: str) -> str:
    """A difference as people write it: "+3,2 poin", "−4,1%", "+12 peringkat", "+Rp12.000"."""
    if numbers.missing(value):
        return "–"
    if kind == "points":
        return numbers.points(value, lang, rule.decimals)
    if kind == "percent":
        return numbers.signed(value * 100, lang, 1) + "%"
    if kind == "ranks":
        return locale.text("peta_views.ranks", lang, number=numbers.signed(value, lang))
    if rule.format == "rupiah":
        sign = "+" if value > 0 else "−" if value < 0 else ""
        return sign + numbers.rupiah(abs(value), lang)
    return numbers.signed(value, lang, rule.decimals)


def colours(rule: MapIndicator, diverging: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """Five colours from a fall to a rise; what is worse is amber, what is better teal.

    `diverging` runs from amber to teal. Of ranks a rise means further up the list of B.
    """
    worse_up = rule.better == "low" and kind != "ranks"
    return diverging[::-1] if worse_up else diverging


def finding(found: Difference, lang: str, *, level: str, where: str) -> str:
    """The title: how many rose and fell and where most, or where two measures disagree most."""
    known = found.rows[found.rows["value"].notna()]
    words = {
        "a": found.a.label, "b": found.b.label, "measure": found.a.rule.label[lang], "where": where,
        "level": locale.text(f"peta.level_{level}", lang), "count": numbers.number(len(known), lang),
    }  # fmt: skip
    if len(known) < 2:
        return locale.text("peta_views.compare_none", lang, **words)
    top = known.loc[known["value"].abs().idxmax()]
    words |= {"top": top["name"], "top_value": text(found.kind, top["value"], found.a.rule, lang)}
    words |= {"top_a": top["a_text"], "top_b": top["b_text"]}
    if found.kind == "ranks":
        return locale.text("peta_views.compare_ranks", lang, **words)
    if found.a.rule.key != found.b.rule.key:
        return locale.text("peta_views.compare_measures", lang, **words)
    shown = known["value"].round(decimals_of(found.kind, found.a.rule))
    firm = int(((known["doubt"] == 0) & (shown != 0)).sum())
    up, down = int((shown > 0).sum()), int((shown < 0).sum())
    line = locale.text("peta_views.compare_time", lang, up=numbers.number(up, lang), down=numbers.number(down, lang),
                       **words)  # fmt: skip
    if found.kind == "points":
        key = "compare_firm" if firm else "compare_none_firm"
        line += locale.text(f"peta_views.{key}", lang, firm=numbers.number(firm, lang))
    return line


def legend(found: Difference, lang: str) -> list[LegendEntry]:
    """The five classes from a fall to a rise with the number of areas, then the grey of the unknown."""
    edges = [text(found.kind, edge, found.a.rule, lang) for edge in found.classes.edges]
    entries = []
    for klass in range(1, found.classes.count + 1):
        inside = int((found.rows["klass"] == klass).sum())
        if not edges:
            label = locale.text("peta.class_all", lang)
        elif klass == 1:
            label = f"< {edges[0]}"
        elif klass == found.classes.count:
            label = f"≥ {edges[-1]}"
        else:
            label = f"{edges[klass - 2]} … {edges[klass - 1]}"
        entries.append(LegendEntry(klass, label, areas_text(inside, lang)))
    missing = int((found.rows["klass"] == 0).sum())
    entries.append(LegendEntry(0, locale.text("peta.legend_missing", lang), areas_text(missing, lang)))
    return entries


def table(found: Difference, lang: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Name, A, B, difference with its margin, intervals and n of both (one n where it is the same), the largest
    difference first; index = position in `found.rows`. Columns without any figure are left out."""
    rows = found.rows
    order = rows.sort_values(["rank", "code"], na_position="last").index
    names = ["name", "a", "b", "value"]
    names += ["margin"] if rows["margin"].notna().any() else []
    sampled = {side: (rows[f"{side}_interval"] != "").any() for side in ("a", "b")}
    names += [f"{side}_interval" for side in ("a", "b") if sampled[side]]
    if any(sampled.values()):
        names += ["a_n"] if rows["a_n"].equals(rows["b_n"]) else ["a_n", "b_n"]
    short = dict.fromkeys(("a", "b", "value", "margin"), "float32") | dict.fromkeys(("a_n", "b_n"), "Int32")
    shown = rows.loc[order, names].astype({name: kind for name, kind in short.items() if name in names})
    n = locale.text("peta.column_n", lang)
    interval = locale.text("peta.column_interval", lang)
    titles = {
        "name": locale.text("peta.column_area", lang), "a": "A", "b": "B",
        "value": locale.text("peta_views.column_difference", lang),
        "margin": locale.text("peta_views.column_margin", lang),
        "a_interval": f"A: {interval}", "b_interval": f"B: {interval}",
        "a_n": f"A: {n}" if "b_n" in names else n, "b_n": f"B: {n}",
    }  # fmt: skip
    return shown, {name: titles[name] for name in names}


def cell_texts(found: Difference, lang: str) -> pd.DataFrame:
    """The words of the table's cells that hold figures, in the order of `found.rows`."""
    rows = found.rows
    plain = found.a.rule.decimals
    return pd.DataFrame({
        "a": rows["a_text"], "b": rows["b_text"],
        "value": [text(found.kind, v, found.a.rule, lang) for v in rows["value"]],
        "margin": ["–" if numbers.missing(m) else f"±{numbers.number(m * 100, lang, plain)}" for m in rows["margin"]],
        "a_n": [numbers.number(n, lang) for n in rows["a_n"]], "b_n": [numbers.number(n, lang) for n in rows["b_n"]],
    })  # fmt: skip
