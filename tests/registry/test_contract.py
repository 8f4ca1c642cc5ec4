"""The field dictionary is the delivered layout, and everything derived from it agrees with it."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import pytest

from dtsen_core.registry import codelists, ddl, fields
from dtsen_core.registry.indicators import INDICATORS, NOT_APPLICABLE

SHARED = Path(__file__).parents[2] / ".." / "shared" / "domain" / "variables.csv"


DELIVERED = "1c19f5e8c1a2b810"
"""Digest of the names of the hundred variables in the order in which they are delivered."""


def listed() -> list[tuple[str, str]]:
    return [(f.set, f.name) for s in fields.SETS for f in fields.fields(s)]


def test_hundred_variables_in_delivered_order() -> None:
    assert (len(fields.fields("keluarga")), len(fields.fields("anggota"))) == (52, 48)
    names = "\n".join(f"{name}.{variable}" for name, variable in listed())
    assert hashlib.blake2b(names.encode(), digest_size=8).hexdigest() == DELIVERED


@pytest.mark.skipif(not SHARED.exists(), reason="the delivered catalogue is not at hand")
def test_the_variables_are_those_of_the_catalogue() -> None:
    with SHARED.open(encoding="utf-8") as file:
        wanted = [(row["set"], row["variable"]) for row in csv.DictReader(file)]
    assert listed() == wanted


def test_every_field_is_complete() -> None:
    for name in fields.SETS:
        for field in fields.fields(name):
            assert field.type in fields.TYPES
            assert field.privacy in fields.PRIVACY
            assert field.label_id
            assert field.label_en
            assert (field.type in ("code", "flag")) == bool(field.codelist), field.name
            if field.codelist:
                assert codelists.codelist(field.codelist).codes


def test_health_and_turnover_are_specific_personal_data() -> None:
    specific = {f.name for f in fields.fields("anggota") if f.privacy == "specific"}
    assert {"penyakit_kronis", "omzet_usaha_utama", "penglihatan", "kondisi_gizi"} <= specific


def test_code_lists_parse_fine_and_merged_spellings() -> None:
    power = codelists.codelist("daya_terpasang").parse_map()
    assert power["900"] == 2
    assert power["<=900"] == 6
    assert power[">900"] == 7
    floor = codelists.codelist("jenis_lantai_terluas")
    merged = next(code for code in floor.codes if code.merges)
    assert merged.version == "2026"
    assert floor.parse_map()["keramik"] == 2


def test_no_spelling_means_two_codes() -> None:
    for name in codelists.names():
        seen: dict[str, int] = {}
        for code in codelists.codelist(name).codes:
            for spelling in (code.label_id.lower(), code.label_en.lower()):
                assert seen.setdefault(spelling, code.value) == code.value, (name, spelling)


def test_tables_can_be_made_from_the_dictionary() -> None:
    con = duckdb.connect()
    for name in fields.SETS:
        con.execute(ddl.create_table(name))
        made = [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()]
        assert made == [column for column, _ in ddl.columns(name)]


def test_thirty_nine_indicators_by_group() -> None:
    groups = [indicator.group for indicator in INDICATORS]
    assert (groups.count("perumahan"), groups.count("aset"), groups.count("anggota")) == (12, 14, 13)
    for indicator in INDICATORS:
        assert [c.code for c in indicator.categories] == list(range(indicator.radix))
        assert indicator.categories[0].value == "tidak diketahui"
        assert len({c.value for c in indicator.categories}) == indicator.radix
    assert sum(c.value == NOT_APPLICABLE for i in INDICATORS for c in i.categories) == 6
