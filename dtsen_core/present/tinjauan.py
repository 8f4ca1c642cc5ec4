"""One doubtful pair side by side: what each field says, and how far it speaks for or against one person."""

from __future__ import annotations

import html

import pandas as pd

from dtsen_core.integrate.review import Decision, Pair
from dtsen_core.locale import has, text
from dtsen_core.present import numbers, theme
from dtsen_core.present.mutu import source_word, variable_word
from dtsen_core.present.mutu_area import word
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.regions import units
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import SETS, fields

FOR, AGAINST = theme.ACCENT, theme.WARNING
WIDEST = 50.0
"""Per cent of the bar's cell that the strongest field fills, on its side of the middle."""


def field_word(name: str, lang: str) -> str:
    """What a compared field is called: our own word for it, else the label of the field dictionary."""
    return word("field", name, lang) if has(f"mutu.field_{name}") else variable_word(name, lang)


def value_word(name: str, value: str | None, lang: str) -> str:
    """A stored value as people write it: codes in words, places by name, days as dates; "" for none."""
    plain = "" if value is None else str(value).strip()
    if not plain:
        return ""
    field = next((f for s in SETS for f in fields(s) if f.name == name), None)
    if field is not None and field.codelist and plain.isdigit():
        labels = {code.value: code.label(lang) for code in codelist(field.codelist).codes}
        return labels.get(int(plain), plain)
    if field is not None and field.type == "region":
        return _place(plain)
    if field is not None and field.type == "date":
        return plain if numbers.date(plain, lang) == numbers.not_available(lang) else numbers.date(plain, lang)
    return plain


def _place(code: str) -> str:
    """ "Sukamaju, Cibinong, Kab. Bogor" for a village code; the code itself where it is not known."""
    known = units.index("village")
    if code not in known:
        return code
    return ", ".join(units.name(part) for part in (code, code[:6], code[:4]))


def comparison_html(pair: Pair, lang: str) -> str:
    """The fields of `pair` as an HTML table with a diverging bar per field. Every value is escaped: a name may hold
    anything, also markup."""
    top = max((abs(w) for w in pair.weights), default=0.0) or 1.0
    rows = "".join(
        _row(field_word(name, lang), value_word(name, record, lang), value_word(name, civil, lang), weight, top, lang)
        for name, record, civil, weight in zip(pair.fields, pair.record, pair.civil, pair.weights)
    )
    titles = [text(f"tinjauan.col_{name}", lang) for name in ("field", "record", "civil", "weight")]
    titles[1] = f"{titles[1]} ({html.escape(source_word(pair.source, lang))})"
    heads = "".join(f'<th style="text-align:left;padding:.45rem .6rem;font-weight:600">{t}</th>' for t in titles)
    label = text("tinjauan.table_label", lang)
    style = "width:100%;min-width:36rem;border-collapse:collapse;font-size:.9rem;line-height:1.4"
    return (
        f'<div style="overflow-x:auto"><table aria-label="{html.escape(label)}" style="{style}"><thead>'
        f'<tr style="border-bottom:2px solid {theme.FAINT}">{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(name: str, record: str, civil: str, weight: float, top: float, lang: str) -> str:
    same = bool(record) and record.casefold() == civil.casefold()
    mark = "" if same else f"background:color-mix(in srgb, {AGAINST} 12%, transparent);"
    cell = '<td style="padding:.45rem .6rem;{extra}overflow-wrap:anywhere">{value}</td>'
    bar = _bar(weight, top, lang)
    return (
        f'<tr style="border-bottom:1px solid {theme.FAINT}">'
        + cell.format(extra="font-weight:600;", value=html.escape(name))
        + cell.format(extra=mark, value=_value(record, lang))
        + cell.format(extra=mark, value=_value(civil, lang))
        + f'<td style="padding:.45rem .6rem;min-width:11rem">{bar}</td></tr>'
    )


def _value(value: str, lang: str) -> str:
    if not value:
        return f'<span style="color:{theme.MUTED}">{text("tinjauan.empty", lang)}</span>'
    return html.escape(value)


def _bar(weight: float, top: float, lang: str) -> str:
    """A bar from the middle: to the right speaks for one person, to the left against it."""
    width = WIDEST * min(abs(weight) / top, 1.0)
    left = 50.0 if weight >= 0 else 50.0 - width
    colour = FOR if weight >= 0 else AGAINST
    written = numbers.signed(weight, lang, 1)
    return (
        '<div style="display:flex;align-items:center;gap:.5rem">'
        f'<div style="position:relative;flex:1;height:.8rem;background:color-mix(in srgb, {theme.MUTED} 14%, '
        'transparent);border-radius:.2rem">'
        f'<div style="position:absolute;left:50%;top:-.15rem;bottom:-.15rem;width:1px;background:{theme.MUTED}"></div>'
        f'<div style="position:absolute;left:{left:.1f}%;width:{width:.1f}%;top:0;bottom:0;background:{colour};'
        'border-radius:.2rem"></div></div>'
        f'<span style="width:3.2rem;text-align:right;font-variant-numeric:tabular-nums">{written}</span></div>'
    )


def verdict(pair: Pair, lang: str) -> str:
    """What the evidence says in one sentence: the probability, and the strongest fields for and against."""
    order = sorted(zip(pair.weights, pair.fields))
    against = [_inside(field_word(f, lang)) for w, f in order if w < 0][:2]
    speaks = [_inside(field_word(f, lang)) for w, f in reversed(order) if w > 0][:2]
    none = text("tinjauan.nothing_speaks", lang)
    return text(
        "tinjauan.verdict", lang, probability=numbers.percent(pair.probability, lang, 0),
        speaks=", ".join(speaks) or none, against=", ".join(against) or none,
    )  # fmt: skip


def _inside(label: str) -> str:
    """A label inside a sentence: small first letter, but not of an abbreviation such as NIK."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def decision_word(decision: str | None, lang: str) -> str:
    """The words for a decision on a pair or on a move; "open" where there is none."""
    key = f"decision_{decision or 'open'}"
    return text(f"tinjauan.{key}" if has(f"tinjauan.{key}") else f"tinjauan_moves.{key}", lang)


def log_table(rows: list[Decision], lang: str) -> Table:
    """The audited log, newest first."""
    names = {c: text(f"tinjauan.log_{c}", lang) for c in ("at", "actor", "pair", "decision", "previous", "version")}
    frame = pd.DataFrame(
        [
            {
                names["at"]: row.at.replace("T", " ").replace("+00:00", " UTC"), names["actor"]: row.actor,
                names["pair"]: row.subject, names["decision"]: decision_word(row.decision, lang),
                names["previous"]: "–" if row.previous is None else decision_word(row.previous, lang),
                names["version"]: row.version,
            }
            for row in rows
        ],
        columns=list(names.values()),
    )  # fmt: skip
    return Table(frame, dict.fromkeys(frame.columns, "text"))
