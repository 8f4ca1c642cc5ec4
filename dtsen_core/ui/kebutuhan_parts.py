"""Controls and parts of the page on need and quota."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.needs import LEVELS, SPLITS, read_quotas
from dtsen_core.present import kebutuhan, labels, maps, numbers, simulasi, simulasi_charts, theme
from dtsen_core.present.peringkat_export import csv_bytes, xlsx_bytes
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_simulasi, controls, notices, peta_known, peta_map
from dtsen_core.ui.cache_simulasi import Needs
from dtsen_core.ui.shell import Page

NATION = units.NATION
VIEWS = ("areas", "deciles", "calculator")
UPLOADED = "uploaded"
THIN = 100  # rows of an area below which its figures are rough
_QUOTAS = "kebutuhan.quotas"


@dataclass(frozen=True)
class Choice:
    """What is asked: programme, level of the areas, region they lie in, how the quota is shared; `quotas` is the
    text of an uploaded file ("" = none)."""

    programme: str
    level: str
    parent: str | None
    split: str
    quotas: str

    @property
    def shown_split(self) -> str:
        return UPLOADED if self.quotas else self.split


def draw(page: Page) -> Choice:
    rules = {rule.key: rule for rule in cache_simulasi.rules(page.key)}
    if not rules:
        raise UserError("errors_kebutuhan.no_rules", day=page.dataset.manifest.as_of[:10])
    with st.container(border=True):
        columns = st.columns([1.5, 2.2, 1.4, 2.2], vertical_alignment="bottom")
        with columns[0]:
            programme = controls.choice(
                "programme", page.t("control_programme"), list(rules), next(iter(rules)),
                lambda key: rules[key].abbreviation(page.lang), page=page.name,
            )  # fmt: skip
        with columns[1]:
            region = controls.choice(
                "region", page.t("control_region"), [NATION, *units.table("province")["code"]], NATION,
                lambda code: page.t("whole_country") if code == NATION else units.name(code), page=page.name,
            )  # fmt: skip
        levels = LEVELS[:2] if region == NATION else LEVELS[1:]
        with columns[2]:
            level = controls.choice(
                "level", page.t("control_level"), levels, levels[0], lambda code: page.t(f"level_{code}"),
                page=page.name,
            )  # fmt: skip
        with columns[3]:
            split = controls.choice(
                "split", page.t("control_split"), [*SPLITS, UPLOADED], SPLITS[0],
                lambda code: page.t(f"split_{code}"), page=page.name, help=page.t("control_split_help"),
            )  # fmt: skip
        quotas = _upload(page) if split == UPLOADED else ""
    base = SPLITS[0] if split == UPLOADED else split
    return Choice(programme, level, None if region == NATION else region, base, quotas)


def _upload(page: Page) -> str:
    file = st.file_uploader(page.t("control_upload"), type="csv", max_upload_size=1, key="kebutuhan.upload")
    if file is not None:
        data = file.getvalue()
        try:
            read_quotas(data)
        except UserError as error:
            notices.refusal(error.message(page.lang))
        else:
            st.session_state[_QUOTAS] = data.decode("utf-8-sig")
    return str(st.session_state.get(_QUOTAS, ""))


def headline(page: Page, found: Needs) -> None:
    """The finding, the figures, and what the rule does not say."""
    st.subheader(kebutuhan.finding(found.rule, found.areas, page.lang), anchor=False)
    unit = simulasi.unit(found.rule, page.lang)
    with st.container(horizontal=True):
        for name in ("eligible", "quota", "enrolled", "waiting"):
            value = kebutuhan.figure(kebutuhan.total(found.areas, name), page.lang)
            st.metric(f"{page.t(f'metric_{name}')} ({unit})", value, border=True)
    st.markdown(kebutuhan.budget_finding(found.budget, page.lang))


def _chart(page: Page, fig: object, finding: str, key: str) -> None:
    st.plotly_chart(
        fig, width="stretch", config=theme.CONFIG, key=f"kebutuhan.{key}",
        alt=page.t("alt", finding=finding),
    )  # fmt: skip
    st.caption(labels.source_line(page.dataset.manifest, page.lang))


def _table(page: Page, made: Table, finding: str, published: Published) -> None:
    st.markdown(f"**{page.t('table_behind')}**")
    st.dataframe(
        made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
        alt=page.t("alt_table", finding=finding),
    )  # fmt: skip
    if published.any_suppressed:
        st.caption(published.reason(page.lang))


def areas(page: Page, found: Needs, choice: Choice) -> None:
    frame = kebutuhan.with_gap(found.areas)
    if choice.level == "district":
        few = int((frame["n"] < THIN).sum())
        st.caption(page.t("district_note", few=few, all=len(frame), thin=THIN))
    finding = kebutuhan.finding(found.rule, found.areas, page.lang)
    if frame["waiting"].notna().any():
        _map(page, frame, choice, finding)
    by = "waiting" if frame["waiting"].notna().any() else "eligible"
    if frame[by].notna().any():
        st.subheader(kebutuhan.area_finding(found.rule, found.areas, page.lang), anchor=False)
        shown = frame.sort_values(by, ascending=False, na_position="last").head(kebutuhan.BARS)
        if len(shown) < len(frame):
            counts = {"shown": len(shown), "all": len(frame)}
            st.caption(page.t("ends_shown", **counts))
        _chart(page, simulasi_charts.need(shown, simulasi.unit(found.rule, page.lang), page.lang), finding, "areas")
    _table(page, kebutuhan.area_table(found.areas, page.lang), finding, found.areas)


def _map(page: Page, frame: pd.DataFrame, choice: Choice, finding: str) -> None:
    mode = peta_known.theme_mode()
    rule = next(iter(map_rules().offered()))
    base = peta_map.map_style(rule, choice.level, choice.parent or NATION, mode)
    style = maps.MapStyle(base.shapes, base.land, base.style, map_rules().scales["need"][mode], mode)
    classed = simulasi_charts.need_classes(frame, page.lang)
    fig = simulasi_charts.change_map(
        classed, style, boundaries.bbox(choice.parent or NATION), page.t("map_corner"),
        page.t("peta.map_indicative" if peta_map.indicative(choice.level) else "peta.map_official"), page.lang,
    )  # fmt: skip
    st.plotly_chart(
        fig, key="kebutuhan.map", theme=None, config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("alt", finding=finding),
    )  # fmt: skip
    entries = [(c, 1.0, w, "") for c, w in zip(style.colours, classed.words, strict=True)]
    peta_map.legend_list(page.t("legend_title"), [*entries, (maps.NO_FIGURE[mode], 1.0, page.t("legend_none"), "")])


def deciles(page: Page, found: Needs) -> None:
    finding = kebutuhan.decile_finding(found.rule, found.deciles, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(page.t("deciles_note"))
    frame = found.deciles.frame
    kept = float(frame["kept"].sum())
    if kept > 0:
        st.info(
            page.t(
                "kept_note", kept=numbers.people(kept, page.lang), unit=simulasi.unit(found.rule, page.lang),
                source=found.rule.protected_source,
            ),
            icon=":material/health_and_safety:",
        )  # fmt: skip
    shown = frame[frame["decile"] > 0].assign(quota=float("nan"))
    shown["name"] = [page.t("simulasi.decile_n", k=int(k)) for k in shown["decile"]]
    if shown["eligible"].notna().any():
        _chart(page, simulasi_charts.need(shown, simulasi.unit(found.rule, page.lang), page.lang), finding, "deciles")
    _table(page, kebutuhan.decile_table(found.deciles, page.lang), finding, found.deciles)
    rows = kebutuhan.budget_rows(found.budget, found.rule, page.lang)
    if not rows.empty:
        st.dataframe(rows, width="stretch", hide_index=True, alt=page.t("alt_table", finding=page.t("budget_title")))


def calculator(page: Page, found: Needs) -> None:
    rule = found.rule
    if not rule.components:
        st.info(page.t("calculator_none"), icon=":material/info:")
        return
    members = {}
    for start in range(0, len(rule.components), 4):
        columns = st.columns(4)
        for column, part in zip(columns, rule.components[start : start + 4], strict=False):
            with column:
                members[part.key] = int(
                    st.number_input(
                        page.t(f"simulasi.component_{part.key}"), 0, 15, key=f"kebutuhan.calculator.{part.key}"
                    )
                )
    said, lines = kebutuhan.calculator(rule, members, page.lang)
    st.subheader(said, anchor=False)
    st.dataframe(lines, width="stretch", hide_index=True, alt=page.t("alt_table", finding=said))
    st.caption(page.t("calculator_note", source=rule.source_amount))


def method_and_downloads(page: Page, found: Needs, choice: Choice) -> None:
    manifest = page.dataset.manifest
    note = kebutuhan.method_note(
        found.rule, choice.shown_split, manifest.version, manifest.as_of, manifest.simulated, page.lang
    )
    with st.expander(page.t("method_title"), icon=":material/function:"):
        st.markdown("\n".join(f"- {line}" for line in note))
    st.page_link("pages/metode.py", label=page.t("simulasi.to_method"), icon=":material/function:",
                 query_params={"show": "effect"})  # fmt: skip
    first = kebutuhan.area_table(found.areas, page.lang).sheet(page.t("sheet_areas"), page.lang)
    second = kebutuhan.decile_table(found.deciles, page.lang).sheet(page.t("sheet_deciles"), page.lang)
    stem = f"{page.t('file_stem')}-{found.rule.key}-{manifest.version}"
    with st.container(horizontal=True):
        st.download_button(
            page.t("download_xlsx"), lambda: xlsx_bytes([first, second], note, page.lang), f"{stem}.xlsx",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.t("download_csv"), lambda: csv_bytes(first, note), f"{stem}.csv", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
