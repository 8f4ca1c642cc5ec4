"""Where to act: who a programme misses, by area and cause, sorted by people."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.policy import area_table
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.missed import UNLISTED, targeted
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.policy.priority_rules import priority_rules
from dtsen_core.present import numbers, peringkat_export, prioritas, prioritas_charts, theme
from dtsen_core.present.peringkat_export import Sheet
from dtsen_core.regions import units
from dtsen_core.ui import cache_missed, controls
from dtsen_core.ui.prioritas_parts import data_line, written
from dtsen_core.ui.shell import Page

WHOLE = units.NATION


def show(page: Page, plan: Plan, ranked: Ranked) -> None:
    """The whole section."""
    lang = page.lang
    offered = {p.key: p for p in targeted(page.dataset.manifest)}
    if not offered:
        st.info(page.t("act_no_programme"))
        return
    columns = st.columns([0.3, 0.25, 0.25, 0.2], vertical_alignment="bottom")
    with columns[0]:
        key = controls.choice(
            "program", page.t("act_programme"), list(offered), next(iter(offered)),
            lambda k: page.t(f"programme_{k}"), page="prioritas", segmented=True,
        )  # fmt: skip
    parent = _place(page, columns[1], columns[2])
    with columns[3]:
        levels = _levels(page, parent)
        level = controls.choice("per", page.t("act_level"), levels, levels[0],
                                lambda x: prioritas.level_name(x, lang), page="prioritas")  # fmt: skip
    found = cache_missed.table(page.key, level, None if parent == WHOLE else parent)
    programme, names = offered[key], _names(page, key)
    have = {c: w for c, w in names.items() if c in found.frame}
    frame = found.frame.sort_values(f"{key}_persons", ascending=False, na_position="last", ignore_index=True)
    people = frame[f"{key}_persons"]
    first = frame.iloc[0] if len(frame) and people.notna().any() else None
    unit = page.t(f"unit_{programme.unit}")
    where = units.label(parent)
    if first is None:
        st.subheader(page.t("act_title_none", programme=page.t(f"programme_{key}"), where=where), anchor=False)
    else:
        st.subheader(
            page.t("act_title", people=numbers.people(people.sum(), lang), programme=page.t(f"programme_{key}"),
                   where=where, first=units.label(str(first["code"])),
                   most=numbers.people(first[f"{key}_persons"], lang)),
            anchor=False,
        )  # fmt: skip
    used = cache_missed.quota_used(page.key)[key]
    full = used >= priority_rules().quota_full_from
    st.caption(
        page.t("act_rule", programme=page.t(f"programme_{key}"), low=programme.decile_from, high=programme.decile_to,
               unit=unit, used=numbers.percent(used, lang, 1), source=programme.source)
        + " " + page.t("act_quota_full" if full else "act_quota_left")
        + ("" if programme.headline else " " + page.t("act_components"))
    )  # fmt: skip
    left, right = st.columns([0.5, 0.5], gap="medium")
    with left:
        causes = {c: w for c, w in have.items() if c.endswith(("_quota", "_high"))}
        if first is not None:
            st.plotly_chart(prioritas_charts.missed_bars(frame.dropna(subset=[f"{key}_persons"]), causes, lang, unit,
                                                         data_line(page)),
                            key="prioritas.missed", config=theme.CONFIG, alt=page.t("act_alt", unit=unit))  # fmt: skip
        st.caption(page.t("act_unit", unit=unit))
    with right:
        _table(page, frame, found.hidden, have, level)
    if found.reasons[lang]:
        st.caption(found.reasons[lang])
    if not area_table.shows_villages(page.dataset):
        st.caption(page.t("act_no_villages", families=numbers.number(map_rules().village_families, lang)))
    _download(page, frame, have, level, where, key)


def _place(page: Page, first: st.delta_generator.DeltaGenerator, second: st.delta_generator.DeltaGenerator) -> str:
    """The chosen province or regency, ``ID`` for the whole country."""
    with first:
        provinces = [WHOLE, *units.table("province")["code"]]
        province = controls.choice("prov", page.t("act_province"), provinces, WHOLE, units.name, page="prioritas")
    if province == WHOLE:
        second.selectbox(page.t("act_regency"), [page.t("any")], disabled=True, key="prioritas.no_regency")
        return WHOLE
    with second:
        inside = [province, *units.children(str(province))["code"]]
        regency = controls.choice(
            "kab", page.t("act_regency"), inside, province,
            lambda c: page.t("any") if c == province else units.name(c), page="prioritas",
        )  # fmt: skip
    return str(regency)


def _levels(page: Page, parent: str) -> list[str]:
    """Levels a list inside `parent` may have; villages only in datasets large enough for them."""
    village = ["village"] if area_table.shows_villages(page.dataset) else []
    if parent == WHOLE:
        return ["regency", "province"]
    return ["regency", "district"] if len(parent) == 2 else ["district", *village]


def _names(page: Page, key: str) -> dict[str, str]:
    full = cache_missed.quota_used(page.key)[key] >= priority_rules().quota_full_from
    return {
        f"{key}_persons": page.t("act_persons"),
        f"{key}_quota": page.t("cause_quota" if full else "cause_seats"),
        f"{key}_high": page.t("cause_high"),
        UNLISTED: page.t("cause_unlisted"),
    }


def _table(page: Page, frame: pd.DataFrame, hidden: pd.DataFrame, have: dict[str, str], level: str) -> None:
    shown = pd.DataFrame({page.t("column_name"): [units.label(str(code)) for code in frame["code"]]})
    for column, words in have.items():
        shown[words] = frame[column].round(0)
    shown["n"] = frame["n"]
    shown = written(shown, dict.fromkeys([*have.values(), "n"], 0), page.lang, page.t("disclosure.suppressed"))
    st.dataframe(shown, hide_index=True, height=420, placeholder=page.t("disclosure.suppressed"),
                 alt=page.t("act_table_alt", level=prioritas.level_name(level, page.lang)))  # fmt: skip
    st.caption(page.t("act_table_help") + " " + page.t("table_sources", sources=data_line(page) + "."))


def _download(page: Page, frame: pd.DataFrame, have: dict[str, str], level: str, where: str, key: str) -> None:
    note = [
        page.t("act_note", programme=page.t(f"programme_{key}"), level=prioritas.level_name(level, page.lang),
               where=where),
        page.t("ui.simulated_help" if page.dataset.simulated else "ui.real"),
        page.dataset.version,
    ]
    out = frame[["code", "name", *have, "n"]].rename(columns=have)
    st.download_button(
        page.t("download_xlsx"),
        lambda: peringkat_export.xlsx_bytes([Sheet(page.t("view_bertindak"), out)], note, page.lang),
        "terlewat.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key="prioritas.missed_xlsx", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
