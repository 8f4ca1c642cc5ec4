"""A visitor's layer: read when it is one, refused in one sentence when it is not, bounded always."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS
from dtsen_core.regions import own_layer


def frame() -> geopandas.GeoDataFrame:
    shapes = [shapely.box(107, -7, 108, -6), shapely.Point(110, -7), shapely.LineString([(106, -6), (112, -7)])]
    words = {"nama": ["<b>Satu</b>", "Dua", None], "luas": [1.5, 2, 3]}
    return geopandas.GeoDataFrame(words, geometry=shapes, crs=4326)


def as_geojson(made: geopandas.GeoDataFrame) -> bytes:
    return str(made.to_json()).encode()


def test_areas_lines_and_points_of_a_geojson() -> None:
    layer = own_layer.read("a.geojson", as_geojson(frame()))
    assert layer.features == 3
    assert layer.shapes is not None
    assert [f["geometry"]["type"] for f in layer.shapes["features"]] == ["Polygon", "LineString"]
    assert layer.points[["lon", "lat", "label"]].values.tolist() == [[110, -7, "Dua"]]
    assert layer.attributes["nama"].tolist() == ["<b>Satu</b>", "Dua", ""]
    assert all(f["properties"] == {} for f in layer.shapes["features"])  # attributes do not travel with the map


def test_geopackage_and_zipped_shapefile_in_another_projection(tmp_path: Path) -> None:
    areas = frame().iloc[:1].to_crs(23890)
    areas.to_file(tmp_path / "x.gpkg")
    areas.to_file(tmp_path / "x.shp")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in tmp_path.glob("x.*"):
            if part.suffix != ".gpkg":
                archive.write(part, f"dalam/{part.name}")
    for name, data in (("x.gpkg", (tmp_path / "x.gpkg").read_bytes()), ("x.zip", buffer.getvalue())):
        layer = own_layer.read(name, data)
        assert layer.shapes is not None
        shape = shapely.from_geojson(json.dumps(layer.shapes["features"][0]["geometry"]))
        assert shape.centroid.x == pytest.approx(107.5, abs=0.02)
        assert ("projected" in [key for key, _ in layer.notes]) is True


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("a.geojson", b"", "unreadable"),
        ("a.geojson", b"{}", "unreadable"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "unreadable"),
        ("a.geojson", b"<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTDataSource>", "unreadable"),
        ("a.gpkg", b"bukan", "unreadable"),
        ("a.gpkg", b"<OGRVRTDataSource/>", "unreadable"),
        ("a.zip", b"PK\x03\x04", "unreadable"),
        ("a.kml", b"<kml/>", "format"),
        ("a.exe", b"MZ", "format"),
        ("a.geojson", b" " * (own_layer.MOST_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_layer_is_one_sentence(name: str, data: bytes, error: str) -> None:
    with pytest.raises(UserError) as caught:
        own_layer.read(name, data)
    assert caught.value.key == f"errors_layer.{error}"
    for lang in LANGS:
        assert "{" not in caught.value.message(lang)


def test_a_zip_without_shapefile_or_with_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/evil.txt", "x")
    with pytest.raises(UserError) as caught:
        own_layer.read("a.zip", buffer.getvalue())
    assert caught.value.key == "errors_layer.no_shapefile"
    monkeypatch.setattr(own_layer, "MOST_UNPACKED", 1_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 100_000)
    with pytest.raises(UserError) as caught:
        own_layer.read("a.zip", buffer.getvalue())
    assert caught.value.key == "errors_layer.too_large"


def test_a_layer_elsewhere_in_the_world_is_refused_and_swapped_axes_are_mended() -> None:
    away = frame().set_geometry(frame().translate(-90, 50))
    with pytest.raises(UserError) as caught:
        own_layer.read("a.geojson", as_geojson(away))
    assert caught.value.key == "errors_regions.boundaries_elsewhere"
    turned = frame().set_geometry(shapely.transform(frame().geometry.to_numpy(), lambda xy: xy[:, ::-1]), crs=4326)
    layer = own_layer.read("a.geojson", as_geojson(turned))
    assert "swapped" in [key for key, _ in layer.notes]
    assert layer.points["lon"].tolist() == [110]


def test_a_fine_layer_is_simplified_and_a_hopeless_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    angle = np.linspace(0, 2 * np.pi, 60_000)
    circle = shapely.Polygon(np.column_stack([107 + np.cos(angle), -7 + np.sin(angle)]))
    fine = geopandas.GeoDataFrame({"a": [1]}, geometry=[circle], crs=4326)
    layer = own_layer.read("a.geojson", as_geojson(fine))
    assert len(json.dumps(layer.shapes)) <= own_layer.MOST_INLINE
    assert "simplified" in [key for key, _ in layer.notes]
    monkeypatch.setattr(own_layer, "MOST_INLINE", 100)
    with pytest.raises(UserError) as caught:
        own_layer.read("a.geojson", as_geojson(fine))
    assert caught.value.key == "errors_layer.too_fine"
    monkeypatch.setattr(own_layer, "MOST_FEATURES", 2)
    with pytest.raises(UserError) as caught:
        own_layer.read("a.geojson", as_geojson(frame()))
    assert caught.value.key == "errors_layer.too_many"
    monkeypatch.setattr(own_layer, "MOST_POINTS", 5_000)
    with pytest.raises(UserError) as caught:  # before anything is mended or simplified
        own_layer.read("a.geojson", as_geojson(fine))
    assert caught.value.key == "errors_layer.too_many_points"


def said(name: str, data: bytes) -> str:
    """The sentence a faulty file is answered with, or the name of the layer."""
    try:
        return own_layer.read(name, data).name
    except UserError as error:
        return error.message("id")


@settings(max_examples=60)
@given(st.binary(max_size=300), st.sampled_from(["x.geojson", "x.gpkg", "x.zip"]))
def test_any_bytes_end_in_a_layer_or_a_sentence(data: bytes, name: str) -> None:
    assert said(name, data) != ""


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["type", "features", "geometry", "properties", "coordinates", "crs", "name"]),
                        inner, max_size=4))  # fmt: skip


@settings(max_examples=100)
@given(JSON)
def test_any_json_ends_in_a_layer_or_a_sentence(value: object) -> None:
    assert said("x.geojson", json.dumps(value).encode()) != ""
