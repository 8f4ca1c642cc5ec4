"""The map of equal squares: one for each regency, none twice, islands apart, as the country lies."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import shapely

from dtsen_core.paths import STATIC
from dtsen_core.regions import make_tiles, tiles, units


def test_one_square_for_each_regency_and_none_twice() -> None:
    frame = tiles.table()
    assert frame["code"].tolist() == units.table("regency")["code"].tolist()
    assert not frame.duplicated(["column", "row"]).any()


def test_the_served_squares_are_those_of_the_table() -> None:
    text = (STATIC / "map" / tiles.FILE).read_text(encoding="utf-8")
    assert text == make_tiles.shapes(tiles.table())
    shapes = [shapely.geometry.shape(f["geometry"]) for f in json.loads(text)["features"]]
    assert shapely.area(shapes).std() < 1e-9
    west, south, east, north = tiles.bbox()
    assert shapely.box(west, south, east, north).contains(shapely.union_all(shapes))


def test_groups_of_islands_do_not_touch() -> None:
    frame = tiles.table()
    group = {p: name for name, (provinces, _) in make_tiles.GROUPS.items() for p in provinces}
    assert set(group) == set(units.table("province")["code"])
    owner = {(c, r): group[code[:2]] for code, c, r in frame.itertuples(index=False)}
    for (column, row), name in owner.items():
        around = {owner.get((column + x, row + y), name) for x in (-1, 0, 1) for y in (-1, 0, 1)}
        assert around == {name}


def test_squares_lie_as_the_country_lies() -> None:
    """Aceh in the north-west, Merauke in the east, Java south of Kalimantan."""
    place = tiles.table().set_index("code")
    assert place.at["1171", "column"] == place["column"].min()
    assert place.at["9301", "column"] >= place["column"].max() - 1
    java = place[place.index.str[:2].isin(["31", "32", "33", "34", "35", "36"])]
    assert java["row"].min() > place[place.index.str[0] == "6"]["row"].max()


def test_cells_fill_the_land_and_crowded_points_are_spread() -> None:
    cells = make_tiles._cells(shapely.box(100, -2, 102, 0), 2.0)
    assert len(cells) == 16
    assert pd.DataFrame(cells).duplicated().sum() == 0
    shapes = np.array([shapely.box(x, y, x + 0.6, y + 0.6) for x in (100, 101) for y in (0, 1)])
    assert len({tuple(cell) for cell in make_tiles._arranged(shapes).tolist()}) == 4
