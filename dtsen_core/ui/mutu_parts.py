"""The parts of the quality page: each states its finding, its figures, where it is so, and what lies behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from dtsen_core.policy.quality import accuracy as quality_accuracy
from dtsen_core.policy.quality.areas import ALL
from dtsen_core.policy.quality.content import BANDS
from dtsen_core.policy.quality.measures import PASSES
from dtsen_core.policy.quality.tables import words
from dtsen_core.present import labels, metode, mutu, mutu_charts, numbers, theme
from dtsen_core.present.mutu_area import word
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.ui import cache_mutu, controls, mutu_area, mutu_upload, url_state
from dtsen_core.ui.shell import Page

VIEWS = ("reading", "matching", "accuracy", "disagreement", "completeness", "freshness", "coverage", "trend", "upload")
BARS, DISPUTED = 20, 12
SENTENCE = 45  # letters from which a cell is a sentence
LETTER, PADDING, NARROWEST, LAPTOP = 7, 24, 92, 1000  # pixels: a letter, round a cell, a column, a laptop's table
LAST = "mutu.last_view"
OWN = ("measure", "source", "other", "variable", "level", "by", "set")


def view(page: Page) -> str:
    """The chosen question, kept in the address as ``show``."""
    chosen = controls.choice(
        "show", page.t("control_show"), VIEWS, VIEWS[0], lambda code: page.t(f"show_{code}"), page=page.name,
        segmented=True,
    )  # fmt: skip
    # The next question has other controls: what the address says about the last one must not be read as theirs.
    if st.session_state.setdefault(LAST, chosen) != chosen:
        url_state.write(**dict.fromkeys(OWN))
        st.session_state[LAST] = chosen
    return str(chosen)


def head(page: Page, finding: str, figures: Sequence[mutu.Figure], note: str = "") -> None:
    """Title that states the finding, then the numbers."""
    st.header(finding, anchor=False)
    if note:
        st.caption(note)
    for column, figure in zip(st.columns(len(figures), gap="small"), figures):
        with column.container(border=True, height="stretch", gap=None):
            st.metric(figure.label, figure.value)
            if figure.note:
                st.caption(figure.note)


def chart(page: Page, figure: Any, finding: str, key: str) -> None:
    st.plotly_chart(
        figure, width="stretch", config=theme.CONFIG, key=key, alt=page.t("alt_chart", finding=finding)
    )
    st.caption(labels.source_line(page.dataset.manifest, page.lang))


def table(page: Page, made: Table, finding: str, stem: str, reason: str = "") -> None:
    """A table with its reason for hidden cells and its file."""
    st.dataframe(
        made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
        column_config=_widths(made), alt=page.t("alt_table", finding=finding), key=f"mutu.behind.{stem}",
    )  # fmt: skip
    if reason:
        st.caption(reason)
    mutu_area.download(page, made, finding, stem, (reason,))


def _widths(made: Table) -> dict[str, Any]:
    """Where a column holds sentences, it gets the room that the others, wide enough for their words, leave."""
    letters = {name: len(name) for name in made.kinds}
    for name, kind in made.kinds.items():
        if kind == "text" and len(made.frame):
            letters[name] = max(len(name), int(made.frame[name].astype(str).str.len().max()))
    sentences = [name for name, count in letters.items() if count > SENTENCE]
    pixels = {name: max(LETTER * count + PADDING, NARROWEST) for name, count in letters.items()}
    left = LAPTOP - sum(width for name, width in pixels.items() if name not in sentences)
    for name in sentences:
        pixels[name] = min(pixels[name], max(left // len(sentences), LETTER * SENTENCE))
    return {name: st.column_config.Column(width=width) for name, width in pixels.items()} if sentences else {}


def _sources(page: Page, found: Sequence[str], *, everything: bool = False) -> tuple[tuple[str, ...], dict[str, str]]:
    codes = (ALL, *found) if everything else tuple(found)
    return codes, {code: mutu.source_word(code, page.lang) for code in codes}


def reading(page: Page) -> None:
    account, rules, findings = cache_mutu.reading(page.key)
    head(page, mutu.reading_finding(account, page.lang), mutu.reading_figures(account, page.lang),
         page.t("reading_note"))  # fmt: skip
    choices: mutu_area.Choices = {"source": _sources(page, _registers(words(account.frame, "source")), everything=True)}
    listed = findings.frame.groupby("rule")["records"].sum().sort_values(ascending=False).index.tolist()
    if listed:
        choices["variable"] = (tuple(listed), {rule: metode.reason_word(rule, page.lang) for rule in listed})
    mutu_area.where(page, "reading", choices)
    st.subheader(page.t("by_source_title"), anchor=False)
    table(page, mutu.account_table(account, page.lang), page.t("by_source_title"), "baris", account.reason(page.lang))
    st.subheader(page.t("reasons_title"), anchor=False)
    st.caption(page.t("reasons_note"))
    table(page, mutu.rule_table(rules, page.lang), page.t("reasons_title"), "karantina", rules.reason(page.lang))
    if listed:
        st.subheader(page.t("findings_title"), anchor=False)
        st.caption(page.t("findings_note"))
        table(page, mutu.finding_table(findings, page.lang), page.t("findings_title"), "temuan",
              findings.reason(page.lang))  # fmt: skip


def _registers(kinds: Sequence[str]) -> list[str]:
    """Registers behind kinds of files: ``regsosek_keluarga`` and ``regsosek_anggota`` are one register."""
    return list(dict.fromkeys(kind.removesuffix("_keluarga").removesuffix("_anggota") for kind in kinds))


def matching(page: Page) -> None:
    found, whole = cache_mutu.matching(page.key)
    if found.frame.empty:
        st.info(page.t("nothing"), icon=":material/info:")
        return
    manifest = page.dataset.manifest
    head(page, mutu.matching_finding(whole, page.lang),
         mutu.matching_figures(whole, manifest.families, manifest.persons, page.lang),
         page.t("matching_note"))  # fmt: skip
    mutu_area.where(page, "matching", {"source": _sources(page, words(found.frame, "source"))})
    st.subheader(page.t("outcomes_title"), anchor=False)
    names = [mutu.source_word(s, page.lang) for s in found.frame["source"]]
    chart(page, mutu_charts.stacked(names, found.frame["records"], found.frame[list(PASSES)],
                                    {p: word("pass", p, page.lang) for p in PASSES}, mutu_charts.PASS_COLOURS,
                                    page.lang), page.t("outcomes_title"), "outcomes")  # fmt: skip
    table(page, mutu.matching_table(found, page.lang), page.t("outcomes_title"), "padanan", found.reason(page.lang))
    if cache_mutu.has_table(page.key, "review_pair"):
        st.page_link("pages/tinjauan.py", label=page.t("to_review"), icon=":material/rule:")


def accuracy(page: Page) -> None:
    whole = cache_mutu.match_quality(page.key, "", ALL)
    head(page, mutu.accuracy_finding(whole, page.lang), mutu.accuracy_figures(whole, page.lang),
         page.t("accuracy_note"))  # fmt: skip
    listed = words(cache_mutu.match_quality(page.key, "source", ALL).frame, "item")
    codes, said = _sources(page, listed, everything=True)
    with st.columns([0.4, 0.6])[0]:
        only = str(controls.choice("source", page.t("control_source"), codes, ALL, lambda code: said[code],
                                   page=page.name))  # fmt: skip
    mutu_area.where(page, "accuracy", {}, {"source": (only, said[only])})
    by = str(controls.choice("by", page.t("control_by"), quality_accuracy.BY, "error_kind",
                             lambda code: page.t(f"by_{code}"), page=page.name, segmented=True))  # fmt: skip
    found = cache_mutu.match_quality(page.key, by, only)
    frame = mutu.accuracy_names(found.frame, by, page.lang)
    shown = mutu.accuracy_worst(frame)
    title = mutu.accuracy_title(shown, by, said[only], page.lang)
    st.subheader(title, anchor=False)
    names = {m: page.t(f"short_{m}") for m in ("precision", "recall")}
    if len(shown):
        chart(page, mutu_charts.intervals(shown, page.lang, names), title, "intervals")
    if len(shown) < len(frame):
        st.caption(page.t("accuracy_shown", shown=len(shown), all=len(frame), least=mutu.TELLING))
    table(page, mutu.accuracy_table(found, by, page.lang), title, f"ketepatan-{by}", found.reason(page.lang))
    _families(page)


def _families(page: Page) -> None:
    found = cache_mutu.families(page.key)
    if found is None:
        return
    title = mutu.families_finding(found, page.lang)
    st.subheader(title, anchor=False)
    st.caption(page.t("families_note"))
    names = {share: page.t(f"col_{share}") for share in ("exact_share", "card_share")}
    chart(page, mutu_charts.intervals(mutu.families_names(found.frame, page.lang), page.lang, names), title, "families")
    table(page, mutu.families_table(found, page.lang), title, "susunan-keluarga", found.reason(page.lang))


def disagreement(page: Page) -> None:
    found = cache_mutu.disagreements(page.key)
    frame = found.frame
    if frame.empty:
        st.info(page.t("no_disagreement"), icon=":material/info:")
        return
    head(page, mutu.disagreement_finding(found, page.lang), mutu.disagreement_figures(found, page.lang),
         page.t("disagreement_note"))  # fmt: skip
    variables = (ALL, *sorted(words(frame, "variable"), key=lambda v: mutu.variable_word(v, page.lang)))
    said = {v: page.t("all_variables") if v == ALL else mutu.variable_word(v, page.lang) for v in variables}
    mutu_area.where(
        page, "disagreement",
        {"variable": (variables, said), "source": _sources(page, words(frame, "source"), everything=True),
         "other": _sources(page, words(frame, "other"), everything=True)},
    )  # fmt: skip
    st.subheader(page.t("disputed_title"), anchor=False)
    top = frame.dropna(subset=["share"]).head(DISPUTED)
    hover = [
        page.t("differ_hover", name=mutu.pair_name(row, page.lang), share=numbers.percent(row["share"], page.lang, 2),
               part=numbers.people(row["part"], page.lang), base=numbers.people(row["base"], page.lang))
        for _, row in top.iterrows()
    ]  # fmt: skip
    names = [mutu.pair_name(row, page.lang) for _, row in top.iterrows()]
    chart(page, mutu_charts.bars(names, top["share"].tolist(), hover, page.lang, page.t("axis_differ")),
          page.t("disputed_title"), "disputed")  # fmt: skip
    table(page, mutu.disagreement_table(found, page.lang), page.t("disputed_title"), "beda", found.reason(page.lang))


def completeness(page: Page) -> None:
    sets = ("keluarga", "anggota")
    set_name = str(controls.choice("set", page.t("control_set"), sets, sets[0], lambda code: page.t(f"set_{code}"),
                                   page=page.name, segmented=True))  # fmt: skip
    found = cache_mutu.completeness(page.key, set_name)
    frame = found.frame
    if frame.empty:
        st.info(page.t("nothing"), icon=":material/info:")
        return
    head(page, mutu.completeness_finding(found, page.lang), mutu.completeness_figures(found, page.lang),
         page.t("completeness_note"))  # fmt: skip
    variables = (ALL, *words(frame, "variable"))
    said = {v: page.t("all_variables") if v == ALL else mutu.variable_word(v, page.lang) for v in variables}
    mutu_area.where(page, "completeness", {"variable": (variables, said)},
                    {"set_name": (set_name, page.t(f"set_{set_name}"))})  # fmt: skip
    st.subheader(page.t("variables_title"), anchor=False)
    worst = frame[(frame["missing"] > 0) | (frame["not_applicable"] > 0) | frame["missing"].isna()]
    worst = worst.sort_values("share", ascending=False, kind="stable").head(BARS)
    parts = ["known", "missing", "not_applicable"]
    if len(worst):
        chart(page, mutu_charts.stacked([mutu.variable_word(v, page.lang) for v in worst["variable"]],
                                        worst["base"], worst[parts],
                                        {p: page.t(f"col_{p}") for p in parts}, mutu_charts.ANSWER_COLOURS, page.lang),
              page.t("variables_title"), "answers")  # fmt: skip
    table(page, mutu.completeness_table(found, page.lang), page.t("variables_title"), f"kelengkapan-{set_name}",
          found.reason(page.lang))  # fmt: skip


def freshness(page: Page) -> None:
    whole, by_source = cache_mutu.freshness(page.key), cache_mutu.freshness_by_source(page.key)
    head(page, mutu.freshness_finding(whole, page.lang), mutu.freshness_figures(whole, page.lang),
         page.t("freshness_note"))  # fmt: skip
    mutu_area.where(page, "freshness", {"source": _sources(page, words(by_source.frame, "source"), everything=True)})
    labels_of = {band: word("band", band, page.lang) for band in BANDS}
    names = [mutu.source_word(s, page.lang) for s in by_source.frame["source"]]
    left, right = st.columns(2, gap="large")
    for column, prefix, title in ((left, "", "updates_title"), (right, "checked_", "checks_title")):
        with column:
            st.subheader(page.t(title), anchor=False)
            parts = by_source.frame[[f"{prefix}{band}" for band in BANDS]].set_axis(list(BANDS), axis=1)
            figure = mutu_charts.stacked(names, by_source.frame["base"], parts, labels_of, mutu_charts.BAND_COLOURS,
                                         page.lang)  # fmt: skip
            chart(page, figure, page.t(title), title)
    table(page, mutu.freshness_table(by_source, page.lang), page.t("updates_title"), "umur-data",
          by_source.reason(page.lang))  # fmt: skip


def coverage(page: Page) -> None:
    found = cache_mutu.coverage(page.key)
    if found.frame.empty or not found.frame["civil_families"].iloc[0] > 0:
        st.info(page.t("no_civil"), icon=":material/info:")
        return
    head(page, mutu.coverage_finding(found, page.lang), mutu.coverage_figures(found, page.lang),
         page.t("coverage_note"))  # fmt: skip
    mutu_area.where(page, "coverage", {})


def trend(page: Page) -> None:
    found = cache_mutu.versions(page.key)
    frame = found.frame
    finding = mutu.trend_finding(found, page.lang)
    st.header(finding, anchor=False)
    if len(frame) > 1:
        st.caption(page.t("trend_note"))
        drawn = mutu.courses(found, page.lang)
        for column, course in zip(st.columns(max(len(drawn), 1), gap="small"), drawn):
            column.metric(
                course.label, course.value, course.change, delta_arrow="off", border=True, height="stretch",
                delta_color="off" if course.better is None else "primary" if course.better else "orange",
                chart_data=course.values or None, chart_type="line",
            )  # fmt: skip
    else:
        st.info(page.t("one_version"), icon=":material/info:")
    table(page, mutu.trend_table(found, page.lang), finding, "versi", found.reason(page.lang))


PARTS: dict[str, Callable[[Page], None]] = {
    "reading": reading, "matching": matching, "accuracy": accuracy, "disagreement": disagreement,
    "completeness": completeness, "freshness": freshness, "coverage": coverage, "trend": trend,
    "upload": mutu_upload.upload,
}  # fmt: skip


def show(page: Page, chosen: str) -> None:
    """Draw one part, or say in words that this version of the dataset does not hold it."""
    if chosen in ("trend", "upload") or cache_mutu.ready(page.key, chosen):
        PARTS[chosen](page)
        return
    if chosen == "accuracy" and not page.dataset.simulated:
        st.info(page.t("real_no_truth"), icon=":material/info:")
        return
    st.info(page.t("not_in_version", part=page.t(f"show_{chosen}"), version=page.dataset.version),
            icon=":material/info:")  # fmt: skip
