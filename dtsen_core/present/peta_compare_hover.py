"""The hovers of two maps held against each other: each map tells its own figure in full, the map of the difference
tells the difference with its margin, both figures with their counts, and n."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dtsen_core import locale
from dtsen_core.present import peta_hover
from dtsen_core.present.peta_compare import Difference, Side
from dtsen_core.present.peta_hover import Hover

_FACTS = ("value", "margin", "a", "b", "a_partner", "b_partner", "a_n", "b_n")


def of_side(side: Side, letter: str, lang: str, *, sampled: bool) -> Hover:
    """Name, figure with unit and interval, its count or rate, n (of a sample) and source of one map."""

    def words(tokens: Mapping[str, str]) -> str:
        few = locale.text("peta.hover_n", lang, n=tokens["n"]) + " · " if sampled else ""
        return locale.text(
            "peta_views.hover_side", lang, letter=letter, measure=peta_hover.with_unit(side.rule, lang),
            partner=peta_hover.with_unit(side.partner, lang), value=tokens["value"], interval=tokens["interval"],
            other=tokens["partner"], partner_interval=tokens["partner_interval"], few=few, source=side.source,
        )  # fmt: skip

    return peta_hover.make(side.rows, side.rule, side.partner, words, lang, peta_hover.SMALL_FACTS)


def of_difference(found: Difference, lang: str, *, sampled: bool) -> Hover:
    """Name, difference and its margin, both figures with unit and count, n and source; what an area lacks is a word.

    A column without any figure, and the second n where both are the same, do not travel; of many areas neither do the
    counts beside the rates, which the hovers of both maps hold.
    """
    rows = found.rows
    names = [name for name in _FACTS if rows[name].notna().any()]
    if len(rows) > peta_hover.MANY:
        names = [name for name in names if not name.endswith("_partner")]
    if not sampled or ("b_n" in names and rows["a_n"].equals(rows["b_n"])):
        names = [name for name in names if name != "b_n" and (sampled or name != "a_n")]
    at = {name: position for position, name in enumerate(names)}
    facts = rows[names].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    if found.kind in ("points", "percent"):
        scaled = [at[name] for name in ("value", "margin") if name in at]
        facts[:, scaled] *= 100
    missing = np.isnan(facts)
    tokens = {name: _token(found, name, position) for name, position in at.items()}
    texts = {name: rows[f"{name}_text"].to_numpy(dtype=object) for name in at if f"{name}_text" in rows}
    spoken = [np.where(missing[:, at[name]], said, "") for name, said in texts.items()]
    groups = []
    for positions in peta_hover.patterns(missing, *spoken):
        first = int(positions[0])
        shown = {name: tokens[name] for name in at if not missing[first, at[name]]}
        said = {name: str(all_said[first]) for name, all_said in texts.items()}
        groups.append((positions, _words(found, shown, said, lang)))
    return Hover(facts.astype("float32"), tuple(groups))


def _words(found: Difference, shown: Mapping[str, str], said: Mapping[str, str], lang: str) -> str:
    """The template of the areas that have the facts `shown`; `said`: words of those that lack one."""
    value = shown.get("value", "–")
    if "value" in shown and found.kind in ("points", "ranks"):
        unit = locale.text("numbers.points" if found.kind == "points" else "peta_views.ranks_unit", lang)
        value = f"{value} {unit}"
    out = ["<b>%{properties.name}</b>", locale.text("peta_views.hover_difference", lang, value=value)]
    if "margin" in shown:
        out[-1] += locale.text("peta_views.hover_margin", lang, margin=shown["margin"])
    same = "b_n" not in shown
    for letter, side in (("a", found.a), ("b", found.b)):
        value = shown.get(letter, said.get(letter, "–"))
        line = [f"{letter.upper()} · {side.label}: <b>{value}</b> {side.rule.unit[lang]}"]
        beside = shown.get(f"{letter}_partner", said.get(f"{letter}_partner"))
        line += [f"{beside} {side.partner.unit[lang]}"] if beside is not None else []
        n = None if same else shown.get(f"{letter}_n")
        line += [locale.text("peta.hover_n", lang, n=n)] if n is not None else []
        out.append(" · ".join(line))
    one = locale.text("peta.hover_n", lang, n=shown["a_n"]) + " · " if same and "a_n" in shown else ""
    a, b = found.a.source, found.b.source
    return "<br>".join([*out, one + (a if a == b else f"A: {a} · B: {b}")])


def _token(found: Difference, name: str, position: int) -> str:
    place = f"customdata[{position}]"
    decimals = found.a.rule.decimals
    if name == "value":
        shapes = {"ranks": "+.0f", "percent": "+.1f", "points": f"+.{decimals}f", "unit": f"+,.{decimals}f"}
        return f"%{{{place}:{shapes[found.kind]}}}" + ("%" if found.kind == "percent" else "")
    if name == "margin":
        return f"%{{{place}:.{decimals}f}}"
    if name.endswith("_n"):
        return f"%{{{place}:,.0f}}"
    side = found.a if name.startswith("a") else found.b
    return peta_hover.token(side.partner if name.endswith("_partner") else side.rule, position)
