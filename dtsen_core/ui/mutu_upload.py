"""A regency's update file from the page: a report first, then the new version of the dataset.

Only for a real dataset: simulated and real records never mix.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dtsen_core.build import update
from dtsen_core.build.progress import Event, Listener
from dtsen_core.errors import UserError
from dtsen_core.present import mutu_upload, numbers
from dtsen_core.ui import cache_mutu, controls, notices, shell
from dtsen_core.ui.shell import Page

KINDS = ("dtsen", "dtks", "regsosek", "p3ke", "dukcapil", "pln", "bpjs", "programme")
CODES = ("detect", "kemendagri", "bps")
QUARTERS = 8
REPORT, DONE = "mutu.upload.report", "mutu.upload.done"


def ingest(
    kind: str, files: Sequence[str], root: Path, *, codes: str | None, as_of: dt.date, dry_run: bool,
    progress: Listener, lang: str = "id",
) -> Mapping[str, Any]:  # fmt: skip
    """The one door to the build room: its report on `files` of `kind`; a trial also exports what it
    would set aside of them, beside them."""
    report: Mapping[str, Any] = update.ingest(
        kind, list(files), root, codes=codes, as_of=as_of, dry_run=dry_run, progress=progress,
        lang=lang, corrections=cache_mutu.beside_upload(files) if dry_run else None,
    )  # fmt: skip
    return report


def quarter_ends(today: dt.date, count: int = QUARTERS) -> tuple[str, ...]:
    """The last days of the most recent `count` quarters up to `today`, newest first, ISO."""
    ends: list[str] = []
    year, month = today.year, 3 * ((today.month - 1) // 3) + 3
    while len(ends) < count:
        day = dt.date(year, month, calendar.monthrange(year, month)[1])
        if day <= today:
            ends.append(day.isoformat())
        year, month = (year, month - 3) if month > 3 else (year - 1, 12)
    return tuple(ends)


def upload(page: Page) -> None:
    """The form, the report of the trial run, and the button that applies it."""
    st.header(page.t("upload_title"), anchor=False)
    if page.dataset.simulated:
        st.warning(page.t("upload_simulated"), icon=":material/block:")
        st.code("python -m dtsen_core ingest dtsen KELUARGA.csv ANGGOTA.csv --dataset data/resmi", language="bash")
        st.caption(page.t("upload_simulated_how"))
        return
    st.caption(page.t("upload_intro"))
    if made := st.session_state.pop(DONE, None):
        st.success(page.t("upload_done", version=made), icon=":material/task_alt:")
    left, middle, right = st.columns(3)
    with left:
        kind = str(controls.choice("kind", page.t("upload_kind"), KINDS, KINDS[0], lambda k: page.t(f"kind_{k}"),
                                   page="mutu.upload"))  # fmt: skip
    with middle:
        codes = str(controls.choice("codes", page.t("upload_codes"), CODES, CODES[0], lambda c: page.t(f"codes_{c}"),
                                    page="mutu.upload"))  # fmt: skip
    ends = quarter_ends(dt.datetime.now(dt.UTC).date())
    with right:
        as_of = str(controls.choice("as_of", page.t("upload_as_of"), ends, ends[0],
                                    lambda day: numbers.date(day, page.lang), page="mutu.upload"))  # fmt: skip
    given = st.file_uploader(
        page.t("upload_files"), accept_multiple_files=True, key=f"mutu.upload.{kind}", help=page.t(f"files_{kind}")
    )
    st.caption(page.t(f"files_{kind}"))
    if not given:
        st.session_state.pop(REPORT, None)
        return
    paths = cache_mutu.keep_upload([(file.name, file.getvalue()) for file in given])
    asked = (kind, codes, as_of, *paths)
    if st.button(page.t("upload_try"), icon=":material/rule:", key="mutu.upload.try"):
        st.session_state[REPORT] = (asked, _run(page, kind, paths, codes, as_of, dry_run=True))
    kept = st.session_state.get(REPORT)
    if kept is None or kept[0] != asked or kept[1] is None:
        st.caption(page.t("upload_first_try"))
        return
    _report(page, kept[1])
    if kept[1].get("unchanged"):
        return
    st.caption(page.t("upload_apply_note"))
    if st.button(page.t("upload_apply"), type="primary", icon=":material/publish:", key="mutu.upload.apply"):
        report = _run(page, kind, paths, codes, as_of, dry_run=False)
        if report is not None:
            st.session_state.pop(REPORT, None)
            st.session_state[DONE] = str(report.get("version", ""))
            st.rerun()


def _run(
    page: Page, kind: str, paths: list[str], codes: str, as_of: str, *, dry_run: bool
) -> Mapping[str, Any] | None:
    """The report, or None after one sentence said what is wrong with the files."""
    system = None if codes == "detect" else codes
    title = page.t("upload_reading" if dry_run else "upload_applying")
    bar = st.progress(0.0, title)

    def show(event: Event) -> None:
        bar.progress(min(max(event.fraction, 0.0), 1.0), title)

    with shell.one_sentence(page.lang):
        try:
            return ingest(
                kind, paths, page.dataset.path, codes=system, as_of=dt.date.fromisoformat(as_of), dry_run=dry_run,
                progress=show, lang=page.lang,
            )  # fmt: skip
        except UserError as problem:
            notices.refusal(mutu_upload.refusal(problem, paths, page.lang))
        finally:
            bar.empty()
    return None


def _report(page: Page, report: Mapping[str, Any]) -> None:
    files = list(report.get("files", ()))
    finding = mutu_upload.finding(files, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(mutu_upload.outcome(report, page.lang))
    for made in (mutu_upload.file_table(files, page.lang), mutu_upload.reason_table(files, page.lang)):
        if len(made.frame):
            st.dataframe(made.styler(page.lang), width="stretch", hide_index=True,
                         placeholder=made.placeholder(page.lang),
                         alt=page.t("alt_table", finding=finding))  # fmt: skip
    if any(file.get("reasons") for file in files):
        st.caption(page.t("reasons_note_lines"))
    # The visitor's own lines, given back to be corrected; nothing of the dataset is in them.
    for export in filter(Path.is_file, map(Path, report.get("exports", ()))):
        st.download_button(page.t("upload_corrections", name=export.name), export.read_bytes, export.name,
                           icon=":material/edit_note:", on_click="ignore", key=f"mutu.upload.{export.name}",
                           help=page.t("upload_corrections_help"))  # fmt: skip
