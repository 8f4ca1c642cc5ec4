"""Boundary files as they are really delivered: each fault is mended with a note or refused in one sentence."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, text
from dtsen_core.paths import ROOT, STATIC
from dtsen_core.regions import boundaries, boundary_import, boundary_read, geometry, units

OFFICIAL = ROOT.parent / "shared" / "boundaries" / "official_regencies.parquet"
BALI = units.table("regency").loc[lambda t: t["parent_code"] == "51"].reset_index(drop=True)
Frame = geopandas.GeoDataFrame


@pytest.fixture(scope="module")
def bali() -> Frame:
    codes, shapes = geometry.read(STATIC / "boundaries" / boundaries.current().hash / "regencies.geojson")
    own = shapes[[codes.index(c) for c in BALI["code"]]]
    return geopandas.GeoDataFrame(
        {"KODE": BALI["code"].tolist(), "NAMA": BALI["name"].tolist()}, geometry=own, crs=4326
    )


def area(frame: Frame) -> float:
    return float(shapely.area(frame.geometry.to_numpy()).sum())


def keys(source: boundary_read.Source) -> list[str]:
    for key, params in source.notes:
        for lang in LANGS:
            assert "{" not in text(f"boundaries.{key}", lang, **params)
    return [key for key, _ in source.notes]


def test_every_format_is_read(bali: Frame, tmp_path: Path) -> None:
    (tmp_path / "shape").mkdir()
    bali.to_file(tmp_path / "shape" / "bali.shp")
    with zipfile.ZipFile(tmp_path / "bali.zip", "w") as archive:
        for part in (tmp_path / "shape").iterdir():
            archive.write(part, part.name)
    bali.to_file(tmp_path / "bali.gpkg")
    bali.to_file(tmp_path / "bali.geojson")
    bali.to_parquet(tmp_path / "bali.parquet")
    (tmp_path / "bali.topojson").write_text(json.dumps(topology(bali)), encoding="utf-8")
    for name in ("bali.zip", "bali.gpkg", "bali.geojson", "bali.parquet", "bali.topojson"):
        source = boundary_read.read(tmp_path / name, "KODE")
        assert source.rows["code"].tolist() == BALI["code"].tolist(), name
        assert shapely.area(source.shapes).sum() == pytest.approx(area(bali), rel=0.01), name


def topology(frame: Frame) -> dict[str, object]:
    """A plain TopoJSON: one arc per ring."""
    arcs: list[list[list[float]]] = []
    made = []
    for code, name, shape in zip(frame["KODE"], frame["NAMA"], frame.geometry):
        polygons = []
        for part in shapely.get_parts(shape):
            arcs.append(shapely.get_coordinates(part.exterior).tolist())
            polygons.append([[len(arcs) - 1]])
        made.append({"type": "MultiPolygon", "properties": {"KODE": code, "NAMA": name}, "arcs": polygons})
    return {"type": "Topology", "objects": {"batas": {"type": "GeometryCollection", "geometries": made}}, "arcs": arcs}


def flipped(frame: Frame) -> Frame:
    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1]), crs=4326)


def raised(frame: Frame) -> Frame:
    return frame.set_geometry(shapely.force_3d(frame.geometry.to_numpy(), 7.0), crs=4326)


def crossed(frame: Frame) -> Frame:
    shapes = frame.geometry.to_numpy().copy()
    west, south, east, north = shapes[0].bounds
    shapes[0] = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    return frame.set_geometry(shapes, crs=4326)


def with_nothing(frame: Frame) -> Frame:
    empty = geopandas.GeoDataFrame({"KODE": ["5199"], "NAMA": ["?"]}, geometry=[None], crs=4326)
    return geopandas.GeoDataFrame(pd.concat([frame, empty], ignore_index=True), crs=4326)


MENDED: list[tuple[str, Callable[[Frame], Frame]]] = [
    ("projected", lambda f: f.to_crs(23890)),
    ("projected", lambda f: f.to_crs(3857)),
    ("no_crs", lambda f: f.set_crs(None, allow_override=True)),
    ("wrong_crs", lambda f: f.set_crs(3857, allow_override=True)),
    ("mercator", lambda f: f.to_crs(3857).set_crs(None, allow_override=True)),
    ("mercator", lambda f: f.to_crs(3857).set_crs(4326, allow_override=True)),
    ("swapped", flipped),
    ("swapped", lambda f: flipped(f).set_crs(None, allow_override=True)),
    ("heights", raised),
    ("invalid", crossed),
    ("dropped", with_nothing),
    ("field_case", lambda f: f.rename(columns={"KODE": "Kode"})),
]


@pytest.mark.parametrize(("note", "damage"), MENDED)
def test_what_can_be_mended_is_mended_and_told(
    bali: Frame, tmp_path: Path, note: str, damage: Callable[[Frame], Frame]
) -> None:
    file = tmp_path / "rusak.parquet"
    damage(bali).to_parquet(file)
    source = boundary_read.read(file, "KODE")
    assert note in keys(source)
    assert len(source.shapes) == len(BALI)
    assert shapely.is_valid(source.shapes).all()
    assert not shapely.has_z(source.shapes).any()
    west, south, east, north = shapely.total_bounds(source.shapes)
    assert 114 < west < east < 116
    assert -9.5 < south < north < -7.5


REFUSED: list[tuple[str, str, Callable[[Frame], Frame]]] = [
    ("boundaries_no_polygons", "KODE", lambda f: f.set_geometry(f.representative_point())),
    ("boundaries_no_polygons", "KODE", lambda f: f.set_geometry(f.boundary)),
    ("boundaries_no_shapes", "KODE", lambda f: f.set_geometry(geopandas.GeoSeries([None] * len(f), crs=4326))),
    ("boundaries_empty", "KODE", lambda f: f.iloc[:0]),
    ("boundaries_no_field", "KODEE", lambda f: f),
    ("boundaries_elsewhere", "KODE", lambda f: f.set_geometry(f.translate(-200, 40))),
    ("boundaries_no_crs", "KODE", lambda f: f.to_crs(32750).set_crs(None, allow_override=True)),
]


@pytest.mark.parametrize(("error", "column", "damage"), REFUSED)
def test_what_cannot_be_mended_is_refused_in_one_sentence(
    bali: Frame, tmp_path: Path, error: str, column: str, damage: Callable[[Frame], Frame]
) -> None:
    file = tmp_path / "salah.parquet"
    damage(bali).to_parquet(file)
    with pytest.raises(UserError) as caught:
        boundary_read.read(file, column)
    assert caught.value.key == f"errors_regions.{error}"
    for lang in LANGS:
        assert str(tmp_path) not in caught.value.message(lang)
        assert "{" not in caught.value.message(lang)


def test_a_wrong_field_names_the_near_ones_first(bali: Frame, tmp_path: Path) -> None:
    file = tmp_path / "b.gpkg"
    bali.assign(ZZ=1).to_file(file)
    with pytest.raises(UserError) as caught:
        boundary_read.read(file, "KODE_KAB")
    assert caught.value.params["fields"].startswith("KODE")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"{}", b"\x00" * 500])
@pytest.mark.parametrize("name", ["x.zip", "x.gpkg", "x.geojson", "x.parquet", "x.topojson"])
def test_no_map_at_all_is_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        boundary_read.read(file, "KODE")
    assert str(tmp_path) not in caught.value.message("id")


@pytest.mark.parametrize(
    ("given_codes", "read"),
    [
        (["11.01", "31.71"], ["1101", "3171"]),
        ([1101.0, 3171.0], ["1101", "3171"]),
        ([11.01, 11.1], ["1101", "1110"]),
        ([1101, None], ["1101", ""]),
        (["ID1101", " 1102 "], ["1101", "1102"]),
        (["11.01.02"], ["110102"]),
        ([11, 31], ["11", "31"]),
    ],
)
def test_codes_survive_spreadsheets(given_codes: list[object], read: list[str]) -> None:
    assert boundary_read.digits(pd.Series(given_codes)).tolist() == read


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.integers(), st.floats()), min_size=1, max_size=5))
def test_any_code_becomes_text_without_dots(values: list[object]) -> None:
    found = boundary_read.digits(pd.Series(values, dtype="object"))
    assert all(isinstance(code, str) and "." not in code for code in found)


def test_a_very_fine_polygon_is_thinned_and_keeps_its_borders(
    bali: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary_read, "THIN_ABOVE", 20_000)
    fine = bali.set_geometry(shapely.segmentize(bali.geometry.to_numpy(), 0.0001), crs=4326)
    fine.to_parquet(tmp_path / "halus.parquet")
    source = boundary_read.read(tmp_path / "halus.parquet", "KODE")
    assert "thinned" in keys(source)
    before = int(shapely.get_num_coordinates(fine.geometry.to_numpy()).sum())
    assert int(shapely.get_num_coordinates(source.shapes).sum()) < before / 4
    assert shapely.area(source.shapes).sum() == pytest.approx(area(bali), rel=0.01)
    assert shapely.area(shapely.union_all(source.shapes)) == pytest.approx(shapely.area(source.shapes).sum(), rel=0.002)


def _source(codes: list[str], shapes: np.ndarray) -> tuple[boundary_read.Source, pd.Series]:
    rows = pd.DataFrame({"code": codes, "name": None})
    return boundary_read.Source(rows, shapes, {}), pd.Series(codes)


def test_rows_of_one_code_are_joined_and_an_enclave_keeps_its_place() -> None:
    """A city drawn inside its regency without a hole stays a city; two rows of a code become one unit."""
    table = units.table("province")["code"]
    present = np.full(len(table), shapely.Polygon(), dtype=object)
    city = shapely.box(1, 1, 2, 2)
    present[0], present[1] = shapely.difference(shapely.box(0, 0, 4, 4), city), city
    source, matched = _source(
        [table[0], table[0], table[1]], np.array([shapely.box(0, 0, 4, 4), shapely.box(4, 0, 5, 4), city])
    )
    present[2:] = [shapely.box(10 + 2 * i, 0, 11 + 2 * i, 1) for i in range(len(table) - 2)]
    shapes, missing = boundary_import._units(source, matched, "province", present)
    assert shapely.area(shapes[0]) == pytest.approx(19)
    assert shapely.area(shapes[1]) == pytest.approx(1)
    assert missing == table[2:].tolist()
    assert {"duplicates", "contested"} <= set(keys(source))
    assert source.report["duplicates"] == 1
    geometry.check(shapes)


def test_islets_that_make_up_a_unit_stay() -> None:
    islets = shapely.union_all([shapely.box(i, 0, i + 0.001, 0.001) for i in range(10)])
    kept = geometry.drop_islets(np.array([islets]), 1.0, share=0.8)
    assert len(shapely.get_parts(kept)) == 8
    assert len(shapely.get_parts(geometry.drop_islets(np.array([islets]), 1.0))) == 1


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.exists(), reason="the shared boundary file is not on this machine")
def test_the_official_file_becomes_a_served_coverage(tmp_path: Path) -> None:
    root = tmp_path / "boundaries"
    root.mkdir()
    here = boundaries.current()
    for name in ("current.json", here.hash):
        source = STATIC / "boundaries" / name
        (root / name).symlink_to(source) if source.is_dir() else (root / name).write_bytes(source.read_bytes())
    report = boundaries.import_file(OFFICIAL, "regency", "code", root=root)
    now = boundaries.current(root)
    codes, shapes = geometry.read(now.path("regency"))
    assert codes == units.table("regency")["code"].tolist()
    geometry.check(shapes)
    assert (report["missing"], report["surplus"]) == ([], [])
    assert report["bytes"] == now.path("regency").stat().st_size + now.path("province").stat().st_size
    assert report["bytes"] <= 1_500_000
    assert boundaries.undo(root).hash == here.hash
