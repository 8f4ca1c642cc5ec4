"""The parts of the method page; each states its finding, then shows the figure or table."""

from __future__ import annotations

import streamlit as st

from dtsen_core.policy import method
from dtsen_core.present import charts_rank, labels, metode, numbers, theme
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.ui import cache_metode, controls, url_state
from dtsen_core.ui.shell import Page

VIEWS = ("chain", "goals", "accuracy", "fit", "effect", "dictionary", "glossary")
SEARCH_LIMIT = 80  # characters
MODELS = ("pmt_provinsi", "pmt_nasional")


def view(page: Page) -> str:
    chosen = controls.choice(
        "show",
        page.t("control_show"),
        VIEWS,
        VIEWS[0],
        lambda code: page.t(f"show_{code}"),
        page=page.name,
        segmented=True,
    )
    return str(chosen)


def table(page: Page, made: Table, finding: str) -> None:
    st.dataframe(
        made.styler(page.lang),
        width="stretch",
        hide_index=True,
        placeholder=made.placeholder(page.lang),
        alt=page.t("alt_table", finding=finding),
    )


def source(page: Page) -> None:
    st.caption(labels.source_line(page.dataset.manifest, page.lang))


def chain(page: Page) -> None:
    files, reasons = cache_metode.files(page.key)
    matches = cache_metode.matches(page.key)
    matched = None if matches is None else matches.frame
    columns = st.columns(4)
    for column, step in zip(columns, metode.steps(page.dataset.manifest, files, matched, page.lang), strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{step.title}**")
            st.metric(step.label, step.value)
            st.caption(step.body)
    if files.empty:
        st.info(page.t("no_files"), icon=":material/info:")
    else:
        finding = metode.file_finding(files, page.lang)
        st.subheader(finding, anchor=False)
        table(page, metode.file_table(files, page.lang), finding)
        if not reasons.empty:
            st.markdown(f"**{page.t('reasons_title')}**")
            table(page, metode.reason_table(reasons, page.lang), page.t("reasons_title"))
    if matches is not None:
        finding = metode.match_finding(matches, page.lang)
        st.subheader(finding, anchor=False)
        table(page, metode.match_table(matches, page.lang), finding)
        st.caption(matches.reason(page.lang))
    facts(page)


def facts(page: Page) -> None:
    manifest = page.dataset.manifest
    finding = page.t(
        "finding_facts",
        as_of=numbers.date(manifest.as_of, page.lang),
        created=numbers.date(manifest.created, page.lang),
    )
    st.subheader(finding, anchor=False)
    table(page, metode.build_facts(manifest, page.lang), finding)


def goals(page: Page) -> None:
    frame = cache_metode.calibration(page.key)
    if frame.empty:
        st.info(page.t("nothing" if page.dataset.simulated else "real_no_truth"), icon=":material/info:")
        return
    columns = st.columns(2)
    with columns[0]:
        level = _filter(page, "level", "goals_level", list(dict.fromkeys(frame["level"])), str(frame["level"].iloc[0]))
    with columns[1]:
        measure = _filter(page, "measure", "goals_filter", list(dict.fromkeys(frame["measure"])), "all")
    for kind in metode.kinds(frame):
        part = metode.residuals(frame, kind, level, measure)
        finding = metode.goal_finding(part, kind, page.lang)
        st.subheader(finding, anchor=False)
        table(page, metode.residual_table(part, kind, page.lang), finding)
    st.caption(page.t("goals_note"))
    source(page)


def _filter(page: Page, name: str, label: str, options: list[str], first: str) -> str | None:
    """The chosen level or measure, None for all of them."""

    def written(code: str) -> str:
        if code == "all":
            return page.t("everything")
        return metode.word(f"level_{code}" if name == "level" else f"measure_{code}", page.lang)

    chosen = controls.choice(name, page.t(label), (*options, "all"), first, written, page=page.name)
    return None if chosen == "all" else str(chosen)


def accuracy(page: Page) -> None:
    if not page.dataset.simulated:
        st.info(page.t("real_no_truth"), icon=":material/info:")
        return
    model = str(
        controls.choice(
            "model",
            page.t("accuracy_model"),
            MODELS,
            MODELS[0],
            lambda code: metode.word(f"model_{code}", page.lang),
            page=page.name,
        )
    )
    with st.spinner(page.t("computing")):
        rows, regencies = cache_metode.accuracy(page.key, model)
    finding = metode.accuracy_finding(rows, page.lang)
    st.subheader(finding, anchor=False)
    table(page, metode.accuracy_table(rows, method.goals(), page.lang), finding)
    st.caption(f"{page.t('accuracy_note')} {page.t('truth_caution')}")
    st.markdown(f"**{page.t('scatter_title')}**")
    frame = regencies.frame
    st.plotly_chart(
        charts_rank.truth_scatter(frame, page.lang),
        width="stretch",
        config=theme.CONFIG,
        key="scatter",
        alt=page.t("alt_scatter", n=numbers.number(len(frame), page.lang), finding=finding),
    )
    source(page)
    st.markdown(f"**{page.t('table_behind')}**")
    table(page, metode.estimate_table(regencies, page.lang), finding)
    st.caption(regencies.reason(page.lang))


def fit(page: Page) -> None:
    frame = cache_metode.model_fit(page.key)
    if frame.empty:
        st.info(page.t("nothing" if page.dataset.simulated else "real_no_model"), icon=":material/info:")
        return
    finding = metode.fit_finding(frame, page.lang)
    st.subheader(finding, anchor=False)
    table(page, metode.fit_table(frame, page.lang), finding)
    st.caption(page.t("fit_note"))
    source(page)


def dictionary(page: Page) -> None:
    key = f"{page.name}.search"
    if url_state.external("q") or key not in st.session_state:
        st.session_state[key] = url_state.read("q", str, "")[:SEARCH_LIMIT]
    query = st.text_input(page.t("search"), key=key, placeholder=page.t("search_placeholder"), max_chars=SEARCH_LIMIT)
    url_state.write(q=query or None)
    for finding, made, whole in (
        ("finding_dictionary", metode.dictionary(page.lang, query), metode.dictionary(page.lang)),
        ("finding_indicators", metode.indicator_table(page.lang, query), metode.indicator_table(page.lang)),
    ):
        sentence = page.t(finding, n=len(made.frame), all=len(whole.frame))
        st.subheader(sentence, anchor=False)
        table(page, made, sentence)


def glossary(page: Page) -> None:
    for term, meaning in metode.glossary(page.lang):
        st.markdown(f"**{term}.** {meaning}")
    st.subheader(page.t("units_title"), anchor=False)
    st.markdown(page.t("units_body" if page.dataset.simulated else "units_body_real"))
