"""From damaged registers back to the people they were derived from."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.simulate.registers import FILES, damage, write_registers
from dtsen_core.errors import UserError
from dtsen_core.integrate import golden
from dtsen_core.integrate.registers import ingest_register
from dtsen_core.locale import has
from dtsen_core.registry import ddl


@pytest.fixture(scope="module")
def sources(people: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registers")
    write_registers(people, folder, seed=7)
    return folder


@pytest.fixture(scope="module")
def registry(people: duckdb.DuckDBPyConnection, sources: Path) -> duckdb.DuckDBPyConnection:
    steps: list[float] = []
    golden.integrate(people, sources, progress=steps.append)
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(1.0)
    return people


def one(con: duckdb.DuckDBPyConnection, query: str):
    return con.execute(query).fetchall()[0]


def test_same_seed_same_bytes(people, sources: Path, tmp_path: Path) -> None:
    write_registers(people, tmp_path, seed=8)
    assert (tmp_path / FILES["dtks"]).read_bytes() != (sources / FILES["dtks"]).read_bytes()
    write_registers(people, tmp_path, seed=7)  # last: it also leaves the truth of the files that the others read
    for name in FILES.values():
        assert (tmp_path / name).read_bytes() == (sources / name).read_bytes()


def test_forms_of_the_files(sources: Path) -> None:
    with pytest.raises(UnicodeDecodeError):
        (sources / FILES["dtks"]).read_bytes().decode("utf-8")
    (sources / FILES["p3ke"]).read_bytes().decode("utf-8")
    assert b"\r\n" in (sources / FILES["p3ke"]).read_bytes()
    assert b"|" in (sources / FILES["regsosek_keluarga"]).read_bytes().split(b"\n")[0]


def test_damage_has_the_declared_rates(registry) -> None:
    rates = damage()["dtks"]
    read, held = one(registry, """SELECT sum(accepted + quarantined), sum(quarantined) FILTER (reason LIKE 'nik%')
        FROM (SELECT accepted, 0 AS quarantined, '' AS reason FROM ingest_file WHERE source = 'dtks' UNION ALL
          SELECT 0, len(lines), reason FROM quarantine WHERE source = 'dtks')""")  # fmt: skip
    malformed = ("terpotong", "berlebih", "notasi_ilmiah", "nol_hilang", "kosong")
    assert held / read == pytest.approx(sum(rates["nik"][f"nik_{how}"] for how in malformed), abs=0.02)
    joined = one(registry, "SELECT count(*) FROM joined_record WHERE source LIKE 'regsosek%'")[0]
    assert joined > 0


def test_nearly_all_families_come_back(registry) -> None:
    found, made = one(registry, "SELECT (SELECT count(*) FROM keluarga), (SELECT count(*) FROM sim_keluarga)")
    assert found >= 0.96 * made
    linked, known = one(registry, "SELECT count(*), count(DISTINCT sim_id_keluarga) FROM truth_link")
    assert linked == known >= 0.995 * found  # a card given up that the civil register still has is no family's


def test_families_are_rebuilt_through_what_happened_to_their_cards(registry) -> None:
    """The civil register's cards alone are wrong where it was not told; newer records put right what they can."""
    rows = registry.execute("SELECT kind, sum(families), sum(card), sum(exact), sum(whole) FROM family_quality "
                            "GROUP BY 1").fetchall()  # fmt: skip
    found = {kind: tuple(int(n) for n in counts) for kind, *counts in rows}
    assert set(found) == {"unchanged", "joined", "split"}
    assert sum(counts[0] for counts in found.values()) >= 0.97 * one(registry, "SELECT count(*) FROM sim_keluarga")[0]
    assert found["unchanged"][2] >= 0.998 * found["unchanged"][0]
    changed = [sum(column) for column in zip(found["joined"], found["split"])]
    assert changed[1] <= changed[2]
    assert changed[2] >= 0.95 * changed[0]
    assert all(0.9 * families < whole <= exact for families, _, exact, whole in found.values())


def test_a_family_met_on_another_s_record_is_not_lost(registry) -> None:
    """Families recorded before they split off, of whom a clean record of Regsosek was read."""
    met, kept = one(registry, """WITH met AS (
          SELECT t.sim_id_keluarga AS family, s.nomor_induk_kependudukan AS nik
          FROM truth_record t JOIN sim_anggota s ON s.id_anggota = t.sim_id_anggota
          JOIN truth_record c ON c.kind = 'dukcapil' AND c.sim_id_anggota = t.sim_id_anggota AND len(c.damage) = 0
          JOIN truth_event e ON e.sim_id_keluarga = t.sim_id_keluarga
          JOIN truth_record h ON h.kind = 'regsosek_keluarga' AND h.sim_id_keluarga = e.host
          WHERE t.kind = 'regsosek_anggota' AND t.damage = ['kartu_gabung'] AND len(h.damage) = 0)
        SELECT count(DISTINCT family), count(DISTINCT family) FILTER (nik IN (
          SELECT nomor_induk_kependudukan FROM anggota)) FROM met""")
    assert met > 20
    assert kept == met


def test_no_wrong_merges(registry) -> None:
    """Persons sit in their own family, and a family has its own place and its own answers."""
    strangers = one(registry, """SELECT count(*) FROM anggota a JOIN truth_link t USING (id_keluarga)
        JOIN sim_anggota s USING (nomor_induk_kependudukan) WHERE s.id_keluarga <> t.sim_id_keluarga""")[0]
    assert strangers == 0
    wrong = one(registry, """SELECT count(*) FROM keluarga k JOIN truth_link t USING (id_keluarga)
        JOIN sim_keluarga s ON s.id_keluarga = t.sim_id_keluarga
        WHERE k.village <> s.village OR k.urban <> s.urban
          OR k.jenis_atap_terluas IS DISTINCT FROM s.jenis_atap_terluas
          OR (k.attribute_source <> 'p3ke' AND k.luas_lantai IS DISTINCT FROM s.luas_lantai)
          OR (k.attribute_source = 'regsosek' AND k.jumlah_ternak_sapi IS DISTINCT FROM s.jumlah_ternak_sapi)""")[0]
    assert wrong <= 0.04 * one(registry, "SELECT count(*) FROM keluarga")[0]  # moved, contradicting answers
    answers = one(registry, """SELECT count(*) FROM anggota a JOIN sim_anggota s USING (nomor_induk_kependudukan)
        WHERE a.penyakit_kronis IS NOT NULL AND a.penyakit_kronis <> s.penyakit_kronis
          OR a.tanggal_lahir <> s.tanggal_lahir OR a.kode_kelurahan_desa_ktp <> s.kode_kelurahan_desa_ktp""")[0]
    assert answers <= 0.005 * one(registry, "SELECT count(*) FROM anggota")[0]  # numbers of other people


def test_nothing_multiplies(registry) -> None:
    rows, cards = one(registry, "SELECT count(*), count(DISTINCT nomor_kartu_keluarga) FROM keluarga")
    assert rows == cards
    people, niks = one(registry, "SELECT count(*), count(DISTINCT nomor_induk_kependudukan) FROM anggota")
    assert people == niks
    assert one(registry, "SELECT sum(jumlah_anggota_keluarga) FROM keluarga")[0] == people
    assert one(registry, "SELECT min(id_keluarga), max(id_keluarga) FROM keluarga") == (0, rows - 1)


def test_tables_are_as_the_contract_says(registry) -> None:
    for table in ("keluarga", "anggota"):
        described = [row[:2] for row in registry.execute(f"DESCRIBE {table}").fetchall()]
        assert described == [tuple(column) for column in ddl.columns(table)]
    villages = [row[0] for row in registry.execute("SELECT village FROM keluarga").fetchall()]
    assert villages == sorted(villages)


def test_account_and_summary_agree(registry) -> None:
    for path, source, read, header, blank, accepted, held in registry.execute(
        "SELECT path, source, read, header, blank, accepted, quarantined FROM ingest_file"
    ).fetchall():
        assert read == header + blank + accepted + held
        data = Path(path).read_bytes()
        assert read == data.count(b"\n") + (not data.endswith(b"\n")), source
    records = dict(registry.execute("SELECT source, sum(records) FROM match_summary GROUP BY source").fetchall())
    accepted = one(registry, """SELECT sum(accepted) - (SELECT coalesce(sum(len(lines) - 1), 0) FROM joined_record
          WHERE source = 'dtks') FROM ingest_file WHERE source = 'dtks'""")[0]
    assert records["dtks"] >= accepted  # accepted records, and those held for their number that may still be recognised
    gap = one(registry, """SELECT sum(records) FILTER (pass = 'none'), sum(records) FILTER (pass <> 'none')
        FROM match_summary WHERE source = 'dukcapil'""")
    assert gap[1] == one(registry, "SELECT count(*) FROM keluarga")[0]
    assert gap[0] > 0


def test_every_reason_has_a_sentence(registry) -> None:
    reasons = [row[0] for row in registry.execute("SELECT DISTINCT reason FROM quarantine").fetchall()]
    assert len(reasons) >= 5
    assert all(has(f"integrate.{reason}") for reason in reasons)


def test_a_duplicated_register_changes_no_family(people, registry, sources: Path, tmp_path: Path) -> None:
    """The whole DTKS and Regsosek files twice in one: the same families, not one more."""
    for name in FILES.values():
        data = (sources / name).read_bytes()
        (tmp_path / name).write_bytes(data if name == FILES["p3ke"] else data + data)
    con = duckdb.connect()
    golden.integrate(con, tmp_path)
    columns = "nomor_kartu_keluarga, village, attribute_source, jenis_lantai_terluas, jumlah_anggota_keluarga"
    query = f"SELECT {columns} FROM keluarga ORDER BY nomor_kartu_keluarga"
    assert con.execute(query).fetchall() == registry.execute(query).fetchall()
    assert one(con, "SELECT count(*) FROM anggota") == one(registry, "SELECT count(*) FROM anggota")
    assert one(con, "SELECT min(header) FROM ingest_file WHERE source <> 'p3ke'")[0] == 2


def test_missing_register_is_named(con, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        golden.integrate(con, tmp_path)
    assert "dtks.txt" in caught.value.message("id")


def test_a_single_register(con, sources: Path) -> None:
    pair = [sources / FILES["regsosek_keluarga"], sources / FILES["regsosek_anggota"]]
    report = ingest_register("regsosek", pair, con)
    families = report["files"][0]
    assert families["code_system"] == "bps"
    assert families["read"] == sum(families[k] for k in ("header", "blank", "accepted", "quarantined"))
    assert sum(families["reasons"].values()) == families["quarantined"]
    assert one(con, "SELECT count(*) FROM source_regsosek_anggota")[0] > 0
    with pytest.raises(UserError, match="codes"):
        ingest_register("regsosek", pair, con, codes="kemendagri")


@pytest.mark.parametrize(("kind", "files", "key"), [
    ("bpjs", ["a"], "unknown_kind"), ("regsosek", ["a"], "file_count"), ("dtks", [], "file_count"),
    ("dtks", ["a", "a"], "same_file"),
])  # fmt: skip
def test_wrong_calls(con, kind: str, files: list[str], key: str) -> None:
    with pytest.raises(UserError) as caught:
        ingest_register(kind, files, con)
    assert caught.value.key == f"errors_ingest.{key}"
