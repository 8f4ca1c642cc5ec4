"""What the map shows, as files: CSV, GeoJSON and GeoPackage. Published figures only; a withheld one is empty and
says so in its status. Unit, interval, n, source, date and version travel in every row, because files leave
their page."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.spreadsheet import guarded

CRS = 4326


@dataclass(frozen=True)
class About:
    """What the file says about itself, in the language of the page."""

    title: str
    level: str
    date: str
    version: str
    origin: str
    source: str
    boundaries: str


def frame(
    rows: pd.DataFrame, indicator: MapIndicator, partner: MapIndicator, about: About, lang: str
) -> pd.DataFrame:
    """One row per area: code, name, the figure with its interval, n and rank, its partner, what they are."""
    withheld = locale.text("disclosure.suppressed", lang)
    out = pd.DataFrame({
        "code": rows["code"], "name": rows["name"], "indicator": indicator.label[lang], "value": rows["value"],
        "unit": _unit(indicator, lang), "low90": rows["low"], "high90": rows["high"], "n_families": rows["n"],
        "rank": rows["rank"], "partner": partner.label[lang], "partner_value": rows["partner"],
        "partner_unit": _unit(partner, lang),
        "status": [withheld if withheld in (v, p) else "" for v, p in zip(rows["value_text"], rows["partner_text"])],
    })  # fmt: skip
    return _signed(out, about)


def difference_frame(rows: pd.DataFrame, names: Mapping[str, str], about: About) -> pd.DataFrame:
    """One row per area: A, B and their difference; `names`: what ``a``, ``b`` and the unit of ``value`` are."""
    out = pd.DataFrame({
        "code": rows["code"], "name": rows["name"], "a": rows["a"], "a_is": names["a"], "b": rows["b"],
        "b_is": names["b"], "difference": rows["value"], "difference_unit": names["value"],
        "margin90": rows["margin"], "within_interval": rows["doubt"].gt(0), "a_partner": rows["a_partner"],
        "b_partner": rows["b_partner"], "a_interval90": rows["a_interval"], "b_interval90": rows["b_interval"],
        "a_n_families": rows["a_n"].astype(float), "b_n_families": rows["b_n"].astype(float),
    })  # fmt: skip
    return _signed(out, about)


def _unit(indicator: MapIndicator, lang: str) -> str:
    share = locale.text("peta_views.fraction", lang) + " " if indicator.kind == "rate" else ""
    return share + indicator.unit[lang]


def _signed(out: pd.DataFrame, about: About) -> pd.DataFrame:
    return out.assign(
        level=about.level, date=about.date, version=about.version, origin=about.origin, source=about.source,
        boundaries=about.boundaries,
    )  # fmt: skip


def csv(table: pd.DataFrame) -> bytes:
    """UTF-8 with byte order mark; a text that a spreadsheet would compute is led by an apostrophe."""
    buffer = io.StringIO()
    words = table.select_dtypes(["object", "string"]).columns
    safe = table.assign(**{c: table[c].map(lambda v: guarded(v) if isinstance(v, str) else v) for c in words})
    safe.to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue().encode("utf-8-sig")


def geojson(table: pd.DataFrame, shapes: Mapping[str, object], about: About) -> bytes:
    """A FeatureCollection (RFC 7946) with what it is as foreign members."""
    spatial = _spatial(table, shapes)
    document = json.loads(spatial.to_json(drop_id=True))
    document |= {"title": about.title, "origin": about.origin, "source": about.source, "date": about.date}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def geopackage(table: pd.DataFrame, shapes: Mapping[str, object], layer: str) -> bytes:
    """A GeoPackage with one layer."""
    spatial = _spatial(table, shapes)
    with tempfile.TemporaryDirectory(prefix="dtsen-map-") as folder:
        path = Path(folder) / "peta.gpkg"
        spatial.to_file(path, driver="GPKG", layer=layer, engine="pyogrio")
        return path.read_bytes()


def _spatial(table: pd.DataFrame, shapes: Mapping[str, object]) -> geopandas.GeoDataFrame:
    plain = table.assign(**{c: table[c].astype(float) for c in ("rank", "n_families") if c in table})
    return geopandas.GeoDataFrame(plain, geometry=np.array([shapes.get(c) for c in table["code"]], object), crs=CRS)
