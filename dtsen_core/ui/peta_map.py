"""The map itself with its legend: areas, magnifier, the visitor's layers."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import maps, maps_inset, numbers, peta, theme
from dtsen_core.present.peta_hover import Hover
from dtsen_core.regions import boundaries, tiles, units
from dtsen_core.ui import peta_known, peta_layers, peta_state
from dtsen_core.ui.peta_known import Shown, theme_mode
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page

TILES = maps.Frame(430)


def map_style(rule: MapIndicator, level: str, container: str, mode: str) -> maps.MapStyle:
    """Where the shapes of a level lie, and the colours of a measure."""
    current = boundaries.current()
    province = container[:2] if level == "district" else None
    return maps.MapStyle(
        shapes=current.url(level, province),
        land=current.land(province),
        style=f"app/static/map/style{'-dark' if mode == 'dark' else ''}.json",
        colours=map_rules().scales[rule.scale][mode],
        mode=mode,
    )


def tile_style(rule: MapIndicator, mode: str) -> maps.MapStyle:
    """The same for the map of equal tiles."""
    style = f"app/static/map/style{'-dark' if mode == 'dark' else ''}.json"
    return maps.MapStyle(tiles.URL, "", style, map_rules().scales[rule.scale][mode], mode)


def indicative(level: str) -> bool:
    return boundaries.current().origin(level)["kind"] == "indikatif"


def note(page: Page, view: View) -> str:
    """What is to be said about the shapes: indicative, official, or no map at all."""
    if view.mode == "tiles":
        return page.t("map_tiles")
    return page.t("map_indicative" if indicative(view.level) else "map_official")


def draw(page: Page, view: View, found: Shown, title: str, colours: Sequence[str] = ()) -> None:
    """The one large map; a click on it chooses an area."""
    whole = view.focus == NATION
    place = map_rules().insets.get(view.inset) if whole and view.mode == "map" else None
    show(
        page, view, found, title, key=f"peta.map.{view.mode}.{view.level}.{view.container}",
        frame=TILES if view.mode == "tiles" else maps.NATION if whole else maps.AREA,
        inset=place.codes if place else (), colours=colours,
    )  # fmt: skip


def show(
    page: Page, view: View, found: Shown, title: str, *, key: str, frame: maps.Frame, inset: Sequence[str] = (),
    colours: Sequence[str] = (), corner: str = "", hover: Hover | None = None,
) -> None:  # fmt: skip
    """A map of `found` over the areas of the view."""
    mode = theme_mode()
    where, level = units.name(view.container), page.t(f"level_{view.level}")
    rows = found.data.rows
    tiled = view.mode == "tiles"
    style = tile_style(found.rule, mode) if tiled else map_style(found.rule, view.level, view.container, mode)
    style, hover = maps.coloured(style, colours), hover or peta_known.hover(page, found)
    figure = maps.choropleth(
        rows,
        style,
        tiles.bbox() if tiled else boundaries.bbox(view.focus),
        hover=hover,
        corner=corner or page.t("map_corner", where=html.escape(where), count=len(rows), level=level),
        hint=page.t("map_help"),
        frame=frame,
        note=note(page, view),
        lang=page.lang,
        layers=[] if tiled else peta_layers.drawn(mode),
    )
    if inset:
        box = maps_inset.around([boundaries.bbox(code) for code in inset])
        here = maps_inset.near(rows["code"].tolist(), {c: boundaries.bbox(c) for c in rows["code"]}, box)
        name = map_rules().insets[view.inset].label[page.lang]
        maps_inset.add(figure, rows, style, hover, here, box, name)
    if not tiled:
        maps.add_points(figure, peta_layers.points(mode))
    # One key per view: a click remembered for another view must not be read as a click on this one.
    st.plotly_chart(
        figure,
        key=key,
        theme=None,
        on_select=lambda: clicked(key),
        selection_mode="points",
        config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("map_alt", measure=found.rule.label[page.lang], level=level, where=where, finding=title),
    )


def clicked(key: str) -> None:
    code = peta_state.area_from_selection(st.session_state.get(key))
    if code is not None:
        peta_state.go(code, keep_camera=True)


def legend(page: Page, found: Shown) -> None:
    """Classes with what each holds; HTML, so that it wraps on a phone and can be read aloud."""
    mode = theme_mode()
    rule, data = found.rule, found.data
    colours = (maps.NO_FIGURE[mode], *map_rules().scales[rule.scale][mode])
    entries = [(colours[e.klass], 1.0, e.label, e.detail) for e in data.legend]
    entries += doubt_entries(page, data.rows["doubt"], colours[3])
    legend_list(page.t("legend_title", measure=rule.label[page.lang], unit=rule.unit[page.lang]), entries)
    breaks = page.t(f"breaks_{rule.breaks}", method=page.t(f"method_{rule.classify}"))
    st.caption(" ".join([breaks, *data.reasons]))


def plain_entries(found: Shown) -> list[tuple[str, float, str, str]]:
    """The classes alone, for a small map."""
    mode = theme_mode()
    colours = (maps.NO_FIGURE[mode], *map_rules().scales[found.rule.scale][mode])
    return [(colours[e.klass], 1.0, e.label, "") for e in found.data.legend if e.klass]


def areas_words(count: int, lang: str) -> str:
    """How many areas, in words."""
    return peta.areas_text(count, lang)


def doubt_entries(page: Page, doubt: object, colour: str) -> list[tuple[str, float, str, str]]:
    """Legend entries of the paler areas, where there are any."""
    rules = map_rules()
    entries = []
    for step, key in ((1, "legend_care"), (2, "legend_rough")):
        count = int((doubt == step).sum())  # type: ignore[attr-defined]
        if count:
            limit = numbers.percent(rules.rse_caution if step == 1 else rules.rse_rough, page.lang, 0)
            why = page.t(key, n=rules.small_sample, rse=limit)
            detail = f"{why} · {peta.areas_text(count, page.lang)}"
            entries.append((colour, maps.OPACITY[step], page.t(f"{key}_short"), detail))
    return entries


def legend_list(title: str, entries: Sequence[tuple[str, float, str, str]], *, compact: bool = False) -> None:
    """A legend: (colour, opacity, label, detail) of every class; `compact` packs short labels closely."""
    cells = "".join(
        f'<li style="display:flex;gap:.4rem;align-items:flex-start;margin:0">'
        f'<span style="flex:none;width:1rem;height:1rem;margin-top:.15rem;border-radius:.15rem;'
        f'background:{colour};opacity:{opacity}"></span>'
        f'<span style="font-size:.75rem"><strong>{html.escape(label)}</strong>'
        f"{'<br>' + html.escape(detail) if detail else ''}</span></li>"
        for colour, opacity, label, detail in entries
    )
    head = f'<p style="margin:0 0 .35rem">{html.escape(title)}</p>' if title else ""
    width, gap = ("5.5rem", ".2rem .6rem") if compact else ("8rem", ".5rem .8rem")
    st.html(
        f'<div style="font-size:.8rem;line-height:1.35">{head}'
        f'<ul style="list-style:none;margin:0;padding:0;display:grid;gap:{gap};'
        f'grid-template-columns:repeat(auto-fit,minmax({width},1fr))">'
        f"{cells}</ul></div>"
    )
