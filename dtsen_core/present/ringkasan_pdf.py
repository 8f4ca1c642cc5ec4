"""The first page of the dashboard as one sheet of A4, in vectors, with its label and source line."""

from __future__ import annotations

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.present import labels, numbers, sentences, theme
from dtsen_core.present.pdf import Box, Sheet
from dtsen_core.present.ringkasan import KINDS, Figure, Sealed, band_shares, headline, programme_rows
from dtsen_core.present.ringkasan_charts import BAND_COLOURS, text_on

_MARGIN = 36.0
_GAP = 18.0
_LEFT = 246.0
_CARDS_TOP = 84.0


def ringkasan_pdf(sealed: Sealed, lang: str) -> bytes:
    """The one-page document in `lang` as PDF bytes."""
    title = text("ringkasan.pdf_title", lang)
    sheet = Sheet(
        title=f"DTSEN: {title}",
        subject=labels.source_line(sealed.manifest, lang),
        lang="id-ID" if lang == "id" else "en-GB",
        author="DTSEN",
    )
    _head(sheet, sealed, title, lang)
    top = _cards(sheet, headline(sealed, lang)) + 14
    _provinces(sheet, sealed, Box(_MARGIN, top, _LEFT, sheet.height - top - 62), lang)
    x = _MARGIN + _LEFT + _GAP
    width = sheet.width - _MARGIN - x
    below = _programmes(sheet, sealed, x, top, width, lang)
    below = _freshness(sheet, sealed, x, below + 18, width, lang)
    _reading(sheet, x, below + 20, width, lang)
    _foot(sheet, sealed, lang)
    return sheet.finish()


def _head(sheet: Sheet, sealed: Sealed, title: str, lang: str) -> None:
    right = sheet.width - _MARGIN
    sheet.text(_MARGIN, 52, title, size=18, bold=True)
    sheet.text(_MARGIN, 67, text("ringkasan.pdf_subtitle", lang), size=8.5, colour=theme.MUTED)
    sheet.badge(right - 4, 50, labels.origin_label(sealed.manifest, lang))
    sheet.text(right, 67, labels.data_line(sealed.manifest, lang), size=8, colour=theme.MUTED, align="right")


def _cards(sheet: Sheet, figures: tuple[Figure, ...]) -> float:
    gap, below = 8.0, _CARDS_TOP
    width = (sheet.width - 2 * _MARGIN - gap * (len(figures) - 1)) / len(figures)
    size = min(sheet.fitting(figure.value, width - 14, 16) for figure in figures)
    for place, figure in enumerate(figures):
        x = _MARGIN + place * (width + gap)
        inner = width - 14
        y = sheet.paragraph(x + 7, _CARDS_TOP + 5, inner, figure.label, size=7.5, colour=theme.MUTED)
        sheet.text(x + 7, y + 18, figure.value, size=size, bold=True)
        y += 21
        if figure.unit:
            y = sheet.paragraph(x + 7, y, inner, figure.unit, size=7, bold=True, colour=theme.MUTED)
        for note in figure.notes:
            y = sheet.paragraph(x + 7, y, inner, note, size=6.4, colour=theme.MUTED)
        below = max(below, y + 7)
    for place in range(len(figures)):
        sheet.frame(Box(_MARGIN + place * (width + gap), _CARDS_TOP, width, below - _CARDS_TOP), theme.FAINT)
    return below


def _provinces(sheet: Sheet, sealed: Sealed, box: Box, lang: str) -> None:
    y = sheet.paragraph(box.x, box.y, box.width, sentences.provinces(sealed, lang), size=10, bold=True)
    overall = sealed.nation.frame["share_d14"].iloc[0]
    note = text("ringkasan.provinces_note", lang, share=numbers.percent(overall, lang))
    y = sheet.paragraph(box.x, y + 2, box.width, note, size=6.8, colour=theme.MUTED) + 8
    frame = sealed.provinces.frame.sort_values(["share_d14", "code"], ascending=[False, True])
    shares = frame["share_d14"].dropna()
    if shares.empty:
        return
    middle = float(overall) if not numbers.missing(overall) else float(shares.mean())
    low, high = min(shares.min(), middle), max(shares.max(), middle)
    left, right = box.x + 96, box.x + box.width - 30
    scale = (right - left) / max(high - low, 1e-9)
    step = min((box.y + box.height - y) / len(frame), 18.0)
    centre = left + (middle - low) * scale
    sheet.line(centre, y, centre, y + step * len(frame), theme.MUTED, 0.6)
    for name, share in zip(frame["name"], frame["share_d14"]):
        y += step
        base = y - step / 2
        sheet.text(box.x + 88, base + 2.4, name, size=6.8, align="right")
        if numbers.missing(share):
            sheet.text(left, base + 2.4, _hidden(sealed.provinces, lang), size=6.4, colour=theme.MUTED)
            continue
        x = left + (float(share) - low) * scale
        colour = theme.WARNING if share > middle else theme.ACCENT
        sheet.line(centre, base, x, base, theme.NO_DATA, 1.0)
        sheet.dot(x, base, 2.5, colour)
        value = numbers.percent(share, lang)
        sheet.text(box.x + box.width, base + 2.4, value, size=6.8, align="right")


def _programmes(sheet: Sheet, sealed: Sealed, x: float, y: float, width: float, lang: str) -> float:
    y = sheet.paragraph(x, y, width, sentences.programmes(sealed, lang), size=10, bold=True)
    if unknown := sentences.unknown_programmes(sealed, lang):
        y = sheet.paragraph(x, y + 2, width, unknown, size=6.8, colour=theme.MUTED)
    if not programme_rows(sealed):
        return y
    y = sheet.paragraph(x, y + 2, width, text("ringkasan.programmes_note", lang), size=6.8, colour=theme.MUTED)
    y += 6
    for row in programme_rows(sealed):
        sheet.text(x, y + 12, row.name(lang), size=8, bold=True)
        if not numbers.missing(row.target_share):
            colour = theme.PROGRAMME_COLOURS[row.rule.key]
            parts = (
                (row.target_share, colour, theme.PAPER, numbers.percent(row.target_share, lang, 0)),
                (
                    row.elsewhere_share,
                    theme.ACCENT_SOFT,
                    theme.INK,
                    numbers.percent(row.elsewhere_share, lang, 0),
                ),
                (
                    row.uncovered_share,
                    theme.FAINT,
                    theme.INK,
                    f"{text('ringkasan.uncovered', lang)} {numbers.percent(row.uncovered_share, lang, 0)}",
                ),
            )
            sheet.stacked_bar(Box(x + 48, y + 2, width - 48, 14), parts)
        y += 21
    table = sentences.programme_table(sealed, lang)
    rows = [
        ["", *table.columns],
        *([str(name), *cells] for name, cells in zip(table.index, table.to_numpy())),
    ]
    first = 68.0
    rest = (width - first) / (len(rows[0]) - 1)
    y = sheet.table(x, y + 4, [first] + [rest] * (len(rows[0]) - 1), rows, size=6.2)
    notes = [text("ringkasan.programme_sources", lang, sources=sentences.programme_sources())]
    if not sealed.national:
        share = numbers.percent(sealed.share_of_registry, lang)
        notes.append(text("ringkasan.part_of_nation", lang, share=share))
    for note in notes:
        y = sheet.paragraph(x, y + 4, width, note, size=6.2, colour=theme.MUTED)
    return y


def _freshness(sheet: Sheet, sealed: Sealed, x: float, y: float, width: float, lang: str) -> float:
    y = sheet.paragraph(x, y, width, sentences.freshness(sealed, lang), size=10, bold=True)
    y = sheet.paragraph(x, y + 2, width, sentences.freshness_note(sealed, lang), size=6.8, colour=theme.MUTED) + 6
    for kind in KINDS:
        sheet.text(x, y + 7, text(f"ringkasan.kind_{kind}", lang), size=7.5, bold=True)
        shares = band_shares(sealed, kind).fillna(0.0)
        parts = [
            (float(share), colour, text_on(colour), numbers.percent(share, lang, 0))
            for share, colour in zip(shares, BAND_COLOURS)
        ]
        sheet.stacked_bar(Box(x, y + 11, width, 14), parts)
        y += 34
    left = x
    for band, colour in zip(band_shares(sealed, KINDS[0]).index, BAND_COLOURS):
        label = text(f"ringkasan.band_{band}", lang)
        if left + 14 + len(label) * 3.6 > x + width:
            left, y = x, y + 11
        sheet.rectangle(Box(left, y, 7, 7), colour)
        sheet.text(left + 10, y + 6, label, size=6.5, colour=theme.MUTED)
        left += 22 + len(label) * 3.6
    return y + 11


def _reading(sheet: Sheet, x: float, y: float, width: float, lang: str) -> None:
    y = sheet.paragraph(x, y, width, text("ringkasan.reading", lang), size=8.5, bold=True)
    for key in ("decile", "poverty", "coverage"):
        content = text(f"ringkasan.reading_{key}", lang)
        y = sheet.paragraph(x, y + 3, width, content, size=6.8, colour=theme.MUTED)


def _foot(sheet: Sheet, sealed: Sealed, lang: str) -> None:
    y = sheet.height - 52
    width = sheet.width - 2 * _MARGIN
    sheet.line(_MARGIN, y, _MARGIN + width, y)
    y = sheet.paragraph(_MARGIN, y + 2, width, labels.source_line(sealed.manifest, lang), size=6.8, colour=theme.MUTED)
    official_line = text("ringkasan.official_sources", lang, sources=sentences.official_sources())
    y = sheet.paragraph(_MARGIN, y, width, official_line, size=6.8, colour=theme.MUTED)
    reason = sealed.reason(lang)
    if reason:
        hidden = text("ringkasan.hidden_shares", lang, reason=reason)
        sheet.paragraph(_MARGIN, y, width, hidden, size=6.8, colour=theme.MUTED)


def _hidden(table: Published, lang: str) -> str:
    return table.label(lang)
