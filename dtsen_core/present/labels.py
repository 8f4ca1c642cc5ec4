"""Short labels that stand on every page and document: data date, version, source line."""

from __future__ import annotations

from typing import Any

from dtsen_core import locale
from dtsen_core.present import numbers


def data_line(manifest: Any, lang: str) -> str:
    """ "Data per 31 Maret 2025 · versi 2025.03-1" for a dataset manifest."""
    as_of = locale.text("ui.data_as_of", lang, date=numbers.date(manifest.as_of, lang))
    return f"{as_of} · {locale.text('ui.data_version', lang, version=manifest.version)}"


def source_line(manifest: Any, lang: str) -> str:
    """The sentence at the foot of every page, picture and document."""
    key = "ui.source_simulated" if manifest.origin == "simulated" else "ui.source_real"
    return locale.text(key, lang, date=numbers.date(manifest.as_of, lang), version=manifest.version)


def origin_label(manifest: Any, lang: str) -> str:
    """ "DATA SIMULASI" / "SIMULATED DATA", or the label of official data."""
    return locale.text("ui.simulated" if manifest.origin == "simulated" else "ui.real", lang)
