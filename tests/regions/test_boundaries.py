"""The served boundaries: counts, validity, coverage, sizes; storing, undoing and importing sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from dtsen_core.errors import InternalError, UserError
from dtsen_core.paths import STATIC
from dtsen_core.regions import boundaries, geometry, units

PROVINCES = units.table("province")["code"].tolist()
BALI = units.table("regency").loc[lambda t: t["parent_code"] == "51"]


@pytest.fixture(scope="module")
def nation() -> tuple[list[str], np.ndarray]:
    return geometry.read(boundaries.path("regency"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the shipped boundaries to write into."""
    return Path(shutil.copytree(STATIC / "boundaries", tmp_path / "boundaries"))


@pytest.mark.parametrize("level", ["province", "regency"])
def test_national_layers(level: str) -> None:
    codes, shapes = geometry.read(boundaries.path(level))
    assert codes == units.table(level)["code"].tolist()
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()
    assert shapely.coverage_is_valid(shapes)
    assert boundaries.path(level).stat().st_size <= 700_000


def test_districts_by_province() -> None:
    total = 0
    table = units.table("district")
    for province in PROVINCES:
        codes, shapes = geometry.read(boundaries.path("district", province))
        assert codes == table.loc[table["code"].str.startswith(province), "code"].tolist()
        assert shapely.is_valid(shapes).all()
        assert not shapely.is_empty(shapes).any()
        assert shapely.coverage_is_valid(shapes)
        total += boundaries.path("district", province).stat().st_size
    assert total <= 8_000_000


def test_features_carry_code_and_name_on_the_grid() -> None:
    features = json.loads(boundaries.path("regency").read_text(encoding="utf-8"))["features"]
    bogor = next(f for f in features if f["id"] == "3201")
    assert bogor["properties"] == {"code": "3201", "name": "Kab. Bogor"}
    numbers = shapely.get_coordinates([shapely.geometry.shape(f["geometry"]) for f in features])
    assert (np.abs(numbers * 1000 - np.round(numbers * 1000)) < 1e-6).mean() > 0.999


def test_regencies_lie_where_their_villages_are(nation: tuple[list[str], np.ndarray]) -> None:
    codes, shapes = nation
    villages = units.table("village").dropna()
    # Half of a unit's villages at least lie in its own outline, of all villages nearly all.
    row = villages["code"].str[:4].map({c: i for i, c in enumerate(codes)}).to_numpy(int)
    inside = shapely.contains_xy(shapes[row], villages["lon"].to_numpy(), villages["lat"].to_numpy())
    assert inside.mean() > 0.93


def test_urls_boxes_and_unknown_units() -> None:
    now = boundaries.current()
    assert now.kind in boundaries.KINDS
    assert now.url("regency") == f"app/static/boundaries/{now.hash}/regencies.geojson"
    assert now.url("district", "32").endswith("/districts_32.geojson")
    west, south, east, north = now.bbox("ID")
    assert (94 < west < 96, -12 < south < -10, 140 < east < 142, 5 < north < 7) == (True,) * 4
    village = units.children("320101")["code"].iat[0]
    for code in ("32", "3201", "320101", village):
        inner = now.bbox(code)
        assert west <= inner[0] < inner[2] <= east
        assert south <= inner[1] < inner[3] <= north
    assert now.bbox(village) == now.bbox("320101")
    assert now.origin("regency")["kind"] == now.kind
    for call in (lambda: now.url("village"), lambda: now.url("district", "99"), lambda: now.bbox("9999")):
        with pytest.raises(UserError):
            call()


def test_nothing_outside_is_asked_for_by_the_styles() -> None:
    for name in ("style.json", "style-dark.json"):
        style = json.loads((STATIC / "map" / name).read_text(encoding="utf-8"))
        assert [layer["type"] for layer in style["layers"]] == ["background"]
        assert style["sources"] == {}
        assert not {"glyphs", "sprite"} & set(style)


def test_missing_or_damaged_boundaries(tmp_path: Path, root: Path) -> None:
    with pytest.raises(UserError) as caught:
        boundaries.current(tmp_path / "none")
    assert "boundaries import" in caught.value.message("en")
    (root / "current.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError):
        boundaries.current(root)


def test_drop_islets_never_takes_the_last_part() -> None:
    small, large = shapely.box(0, 0, 0.001, 0.001), shapely.box(1, 1, 2, 2)
    units_ = np.array([shapely.multipolygons([small, large]), small], dtype=object)
    kept = geometry.drop_islets(units_, 100.0)
    assert shapely.get_num_geometries(kept).tolist() == [1, 1]
    assert kept[0].equals(large)
    assert kept[1].equals(small)


def test_served_mends_overlaps_and_keeps_tiny_units() -> None:
    a, b = shapely.box(0, 0, 1, 1), shapely.box(0.98, 0, 2, 1)
    speck = shapely.box(3, 3, 3.0002, 3.0002)
    ready = geometry.served(np.array([a, b, speck], dtype=object), 0.01, 1.0)
    geometry.check(ready)
    assert shapely.area(ready[:2]).sum() == pytest.approx(2.0, abs=0.01)
    with pytest.raises(InternalError):
        geometry.check(np.array([a, b], dtype=object))


def bali(nation: tuple[list[str], np.ndarray]) -> geopandas.GeoDataFrame:
    """A small "official" file: the regencies of Bali, moved a little, two of them overlapping."""
    codes, shapes = nation
    own = shapely.transform(shapes[[codes.index(c) for c in BALI["code"]]], lambda xy: xy + 0.01)
    own[0] = shapely.union(own[0], shapely.buffer(shapely.point_on_surface(own[1]), 0.02))
    return geopandas.GeoDataFrame(
        {"KODE": BALI["code"].tolist(), "NAMA": BALI["name"].str.upper().tolist()}, geometry=own, crs=4326
    )


def test_import_replaces_reports_and_can_be_undone(nation, root: Path, tmp_path: Path) -> None:
    before = boundaries.current(root)
    file = tmp_path / "bali.gpkg"
    bali(nation).to_crs(3857).to_file(file)
    report = boundaries.import_file(file, "regency", "KODE", root=root)
    assert (report["system"], report["features"], report["units"]) == ("kemendagri", len(BALI), len(BALI))
    assert len(report["missing"]) == 514 - len(BALI)
    assert report["surplus"] == []
    assert report["overlap_km2"] > 10
    now = boundaries.current(root)
    assert (now.kind, now.hash) == ("resmi", report["hash"])
    assert now.hash != before.hash
    assert now.origin("regency") == {"kind": "resmi", "source": "bali.gpkg"}
    assert now.origin("district")["kind"] == "indikatif"
    codes, shapes = geometry.read(now.path("regency"))
    assert codes == nation[0]
    geometry.check(shapes)
    assert now.path("regency").stat().st_size <= 700_000
    moved, old = shapes[codes.index("5103")], nation[1][codes.index("5103")]
    assert moved.centroid.x - old.centroid.x == pytest.approx(0.01, abs=0.003)
    assert not list(root.glob(".*"))
    assert boundaries.undo(root) == before
    assert boundaries.current(root) == before
    with pytest.raises(UserError):
        boundaries.undo(root)


@pytest.mark.slow
def test_import_in_bps_codes_without_names(nation, root: Path, tmp_path: Path) -> None:
    codes, shapes = nation
    aceh = units.table("regency").loc[lambda t: t["parent_code"] == "11"]
    frame = geopandas.GeoDataFrame(
        {"kdkab": [*aceh["bps_code"].astype(int), 9999]},
        geometry=[*shapes[[codes.index(c) for c in aceh["code"]]], shapely.box(100, 0, 101, 1)],
        crs=4326,
    )
    file = tmp_path / "aceh.geojson"
    frame.to_file(file)
    with pytest.raises(UserError):
        boundaries.import_file(file, "regency", "kdkab", "kemendagri", root=root)
    report = boundaries.import_file(file, "regency", "kdkab", root=root)
    assert report["system"] == "bps"
    assert report["surplus"] == ["9999"]
    assert report["units"] == len(aceh)


def test_import_refuses_what_it_cannot_use(nation, root: Path, tmp_path: Path) -> None:
    before = (root / "current.json").read_bytes()
    frame = bali(nation)
    good, text, foreign, plain = (tmp_path / n for n in ("g.geojson", "t.geojson", "f.geojson", "p.shp"))
    frame.to_file(good)
    text.write_text("bukan peta", encoding="utf-8")
    frame.assign(KODE="XX", NAMA="ATLANTIS").to_file(foreign)
    frame.to_crs(32750).to_file(plain)
    (tmp_path / "p.prj").unlink(missing_ok=True)
    cases = [
        (tmp_path / "none.gpkg", "regency", "KODE", None),
        (text, "regency", "KODE", None),
        (good, "regency", "TIDAK_ADA", None),
        (good, "village", "KODE", None),
        (good, "regency", "KODE", "iso"),
        (foreign, "regency", "KODE", None),
        (plain, "regency", "KODE", None),
        (good, "province", "KODE", None),
    ]
    for path, level, column, codes in cases:
        with pytest.raises(UserError) as caught:
            boundaries.import_file(path, level, column, codes, root=root)
        assert caught.value.message("id") != caught.value.message("en")
    assert (root / "current.json").read_bytes() == before
    assert len([p for p in root.iterdir() if p.is_dir()]) == 1


def test_unwritable_folder_changes_nothing(nation, root: Path, tmp_path: Path, monkeypatch) -> None:
    before = (root / "current.json").read_bytes()

    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(geometry, "write", full)
    with pytest.raises(UserError) as caught:
        boundaries.store(root, nation[1], {}, kind="resmi", source="x")
    assert "No space left" in caught.value.message("id")
    assert (root / "current.json").read_bytes() == before
    assert not list(root.glob(".new-*"))
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(UserError):
        boundaries.store(blocked / "boundaries", nation[1], {}, kind="resmi", source="x")


def test_the_land_round_a_province_is_its_neighbours_only() -> None:
    found = boundaries.current()
    path = found.folder / found.land("32").rsplit("/", 1)[-1]
    codes, shapes = geometry.read(path)
    assert "31" in codes
    assert "32" not in codes
    assert "11" not in codes
    assert not shapely.is_empty(shapes).any()
    assert path.stat().st_size < found.path("province").stat().st_size / 2
    assert found.land() == found.url("province")


def test_a_set_of_an_earlier_version_shows_all_provinces(tmp_path: Path) -> None:
    older = boundaries.BoundarySet("x", "resmi", "lama", tmp_path)
    assert older.land("32") == older.url("province")
