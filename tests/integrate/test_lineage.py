"""Every golden value leads back to a file, a line and a rule, and the losing values stay known."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.layouts import layout
from dtsen_core.collect.simulate.registers import FILES, write_registers
from dtsen_core.errors import UserError
from dtsen_core.integrate import golden, trace
from dtsen_core.integrate.lineage import find_family, lineage, member_lineage
from dtsen_core.integrate.survivorship import rules
from dtsen_core.locale import has


@pytest.fixture(scope="module")
def sources(people: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registers")
    write_registers(people, folder, seed=11)
    return folder


@pytest.fixture(scope="module")
def registry(sources: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    golden.integrate(con, sources)
    return con


def field_of(path: str, line: int, kind: str, variable: str) -> str:
    """The delivered text of `variable` in the record that starts at physical line `line`."""
    lines = Path(path).read_bytes().decode("latin-1").split("\n")
    names = [c.name for c in layout(kind).columns]
    cells = lines[line - 1].strip("\r").split(layout(kind).delimiters[0])
    return cells[names.index(variable)]


def test_a_value_stands_in_the_line_it_is_traced_to(registry) -> None:
    """Numbers of Regsosek and DTKS are delivered as the numbers that are stored."""
    rows = registry.execute("SELECT id_keluarga, luas_lantai FROM keluarga WHERE luas_lantai IS NOT NULL").fetchall()
    for family, area in random.Random(3).sample(rows, 60):
        found = lineage(registry, family, "luas_lantai")
        kind = {"regsosek": "regsosek_keluarga"}.get(found.source or "", found.source or "")
        assert found.rule == "recency"
        joined = registry.execute(
            "SELECT count(*) FROM joined_record WHERE path = ? AND line_from = ?", [found.path, found.line]
        ).fetchall()[0][0]
        if not joined:
            assert float(field_of(found.path, found.line, kind, "luas_lantai")) == area


def test_identity_is_traced_to_the_civil_register(registry, sources: Path) -> None:
    members = member_lineage(registry, 5, "nama")
    size = registry.execute("SELECT jumlah_anggota_keluarga FROM keluarga WHERE id_keluarga = 5").fetchall()[0][0]
    assert len(members) == size
    for found in members:
        assert (found.source, found.rule, found.path) == ("dukcapil", "authority", str(sources / FILES["dukcapil"]))
        assert found.value in Path(found.path).read_text(encoding="utf-8").split("\n")[found.line - 1]


def test_every_value_has_an_origin_and_every_origin_a_record(registry) -> None:
    for set_name, table, key in trace.ORIGINS:
        for group in rules().of(set_name, "recency", "priority"):
            for variable in group.variables:
                orphans = registry.execute(
                    f"SELECT count(*) FROM {set_name} g JOIN {table} o USING ({key}) "
                    f'WHERE g."{variable}" IS NOT NULL AND o."{variable}" = 0'
                ).fetchall()[0][0]
                assert orphans == 0, variable
    dangling = registry.execute("""SELECT count(*) FROM family_origin o JOIN origin_source s
        ON s.code = o.jenis_lantai_terluas LEFT JOIN source_record r
        ON r.id_keluarga = o.id_keluarga AND r.source = s.source AND r.chosen WHERE r.id_keluarga IS NULL""")
    assert dangling.fetchall()[0][0] == 0


def test_a_newer_record_wins_and_the_older_value_is_kept(sources: Path, tmp_path: Path) -> None:
    """DTKS dated after Regsosek gives the floor; Regsosek's floor is kept as the older value."""
    for name in FILES.values():
        (tmp_path / name).write_bytes((sources / name).read_bytes())
    con = duckdb.connect()
    golden.integrate(con, sources)
    family, path, line = con.execute("""SELECT d.id_keluarga, f.path, d.line_from FROM source_record d
        JOIN source_file f USING (path_id) JOIN keluarga k USING (id_keluarga)
        WHERE d.source = 'dtks' AND d.chosen AND k.attribute_source = 'regsosek' AND k.jumlah_anggota_keluarga = 1
        AND NOT EXISTS (FROM joined_record j WHERE j.path = f.path AND j.line_from = d.line_from)
        ORDER BY 1 LIMIT 1""").fetchall()[0]
    card = con.execute("SELECT nomor_kartu_keluarga FROM keluarga WHERE id_keluarga = ?", [family]).fetchall()[0][0]
    before = lineage(con, family, "jenis_lantai_terluas")
    names = [c.name for c in layout("dtks").columns]
    lines = (tmp_path / FILES["dtks"]).read_bytes().decode("latin-1").split("\n")
    cells = lines[line - 1].split("|")
    new = "2" if before.value != "2" else "3"
    cells[names.index("jenis_lantai_terluas")] = new
    cells[names.index("tanggal_pemutakhiran")] = "31/12/2029"
    lines[line - 1] = "|".join(cells)
    (tmp_path / FILES["dtks"]).write_bytes("\n".join(lines).encode("latin-1"))
    after_con = duckdb.connect()
    golden.integrate(after_con, tmp_path)
    found = lineage(after_con, find_family(after_con, card), "jenis_lantai_terluas")
    assert (before.source, found.source, found.value, found.line) == ("regsosek", "dtks", new, line)
    assert [(o.source, o.value, o.reason) for o in found.losers if o.source == "regsosek"] == [
        ("regsosek", before.value, "recency")
    ]
    assert Path(path).name == Path(found.path).name


def test_losing_values_differ_and_have_a_reason(registry) -> None:
    assert registry.execute("SELECT count(*) FROM losing_value").fetchall()[0][0] > 0
    same = registry.execute("""SELECT count(*) FROM losing_value v JOIN keluarga k USING (id_keluarga)
        WHERE v.variable = 'alamat' AND upper(v.value) = upper(k.alamat)""").fetchall()[0][0]
    assert same == 0
    reasons = [r for (r,) in registry.execute("SELECT DISTINCT reason FROM losing_value").fetchall()]
    assert all(has(f"integrate.lost_{reason}") for reason in reasons)


def test_unknown_names_are_a_sentence(registry) -> None:
    with pytest.raises(UserError) as problem:
        lineage(registry, 5, "jenis_lantai")
    assert "jenis_lantai_terluas" in problem.value.message("id")
    with pytest.raises(UserError):
        find_family(registry, "99999999")
    with pytest.raises(UserError):
        find_family(registry, "x'; DROP TABLE keluarga")
