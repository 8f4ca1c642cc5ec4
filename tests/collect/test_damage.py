"""Realistic damage: declared rates, the audits of 2020, and a truth that leads back to the person."""

from __future__ import annotations

import tomllib
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.layouts import layout
from dtsen_core.collect.readers import read_source, settle
from dtsen_core.collect.simulate import names
from dtsen_core.collect.simulate.damage.kinds import KINDS, NUMBERS, SLOTS, damaged
from dtsen_core.collect.simulate.damage.rates import damage
from dtsen_core.collect.simulate.registers import FILES, write_registers
from dtsen_core.locale import has
from dtsen_core.paths import RULES
from tests.collect import population

NIK = "3171014112850003"
PERSON = {"regsosek_anggota": "regsosek", "dtks": "dtks"}


@pytest.fixture(scope="module")
def people(make_people) -> duckdb.DuckDBPyConnection:
    return make_people(2_500)


@pytest.fixture(scope="module")
def written(people: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registers")
    write_registers(people, folder, seed=11)
    return folder


def shares(con: duckdb.DuckDBPyConnection, kind: str, base: str = "true") -> dict[str, float]:
    rows = con.execute(
        f"""WITH record AS (SELECT damage FROM truth_record LEFT JOIN sim_anggota a ON a.id_anggota = sim_id_anggota
          WHERE kind = ? AND {base})
        SELECT code, count(*) / (SELECT count(*) FROM record) FROM (SELECT unnest(damage) AS code FROM record)
        GROUP BY 1""", [kind],
    ).fetchall()  # fmt: skip
    return {str(code): float(share) for code, share in rows}


def test_every_audit_is_reached_by_the_declared_rates() -> None:
    rates = damage()["dtks"]
    men = sum(rate for code, rate in rates["nik"].items() if code != "nik_tanpa_40")
    assert men + rates["nik"]["nik_tanpa_40"] / 2 >= rates["audit"]["nik_invalid"]
    assert sum(rates["kk"].values()) >= rates["audit"]["kk_invalid"]
    per_record = rates["duplicates"] / (1 + rates["duplicates"] + rates["deceased"])
    assert per_record >= rates["audit"]["duplicates"]
    assert rates["nama"]["nama_kosong"] >= rates["audit"]["empty_name"]
    raw = tomllib.loads((RULES / "sources" / "damage.toml").read_text(encoding="utf-8"))
    for register in ("dukcapil", "regsosek", "dtks", "p3ke"):
        assert raw[register]["source"]
        assert raw[register]["denominator"]


def test_every_kind_occurs_somewhere_and_has_a_sentence() -> None:
    declared = {code for entry in damage().values() for slot in SLOTS for code in entry.get(slot, {})}
    by_setting = {"rekaman_ganda", "ganda_dukcapil", "meninggal", "isian_tak_dikenal", "wilayah_lama",
                  "baris_bergeser", "baris_patah", "aksara_latin1", "kartu_gabung", "kartu_pecah"}  # fmt: skip
    assert {kind.code for kind in KINDS} == declared | by_setting
    assert all(has(f"identity.damage_{kind.code}") for kind in KINDS)


def test_damage_has_the_declared_rates(people, written: Path) -> None:
    for kind, register in PERSON.items():
        found = shares(people, kind)
        for slot in ("nik", "kk"):
            for code, rate in damage()[register][slot].items():
                allowed = 0.5 if code == "nik_tanpa_40" else 1.0
                times = 1.0 if register == "dtks" else 1.02  # second records have more
                assert found.get(code, 0.0) == pytest.approx(rate * allowed * times, rel=0.15, abs=0.01), code
        assert found["meninggal"] == pytest.approx(damage()[register]["deceased"], abs=0.01)
    assert shares(people, "dtks")["rekaman_ganda"] == pytest.approx(0.2, abs=0.04)


def test_a_clean_record_leads_back_to_its_person(people, written: Path) -> None:
    for kind in PERSON:
        con = duckdb.connect()
        read_source(con, kind, [written / FILES[kind]])
        rows = con.sql(f"SELECT line_from, nomor_induk_kependudukan, nama FROM source_{kind}").to_arrow_table()
        people.register("read_rows", rows)
        clean, right, read = people.execute(
            """SELECT count(*) FILTER (len(damage) = 0),
              count(*) FILTER (len(damage) = 0 AND r.nama = a.nama
                AND r.nomor_induk_kependudukan = a.nomor_induk_kependudukan), count(r.line_from)
            FROM truth_record t JOIN read_rows r USING (line_from) LEFT JOIN sim_anggota a
              ON a.id_anggota = t.sim_id_anggota WHERE t.kind = ?""", [kind],
        ).fetchall()[0]  # fmt: skip
        people.unregister("read_rows")
        assert clean == right > 300
        assert read == rows.num_rows  # every accepted record is known to the truth
        con.close()


def test_truth_gives_the_physical_line_of_every_record(people, written: Path) -> None:
    for kind, name in FILES.items():
        lines = (written / name).read_bytes().split(b"\n")
        first = {"regsosek_keluarga": b"RS", "regsosek_anggota": b"RS", "dtks": b"DT", "p3ke": b"P3"}.get(kind)
        numbers = [row[0] for row in people.execute(
            "SELECT line_from FROM truth_record WHERE kind = ? ORDER BY 1", [kind]).fetchall()]  # fmt: skip
        assert len(numbers) == len(set(numbers)) > 100
        for number in numbers:
            start = lines[number - 1]
            assert start.startswith(first) if first else start.count(b",") >= 13


@pytest.mark.parametrize("code", [f"nik_{name}" for name in NUMBERS])
def test_a_number_is_really_damaged(con, code: str) -> None:
    rows = con.execute(
        f"SELECT {damaged('nik', 'v', 'h')}, v FROM (SELECT '{NIK}' AS v, hash(i) AS h, '{code}' AS nik_kind, "
        "NULL AS borrowed FROM range(200) t(i))"
    ).fetchall()  # fmt: skip
    assert all(found != clean for found, clean in rows)
    lengths = {len(found) for found, _ in rows}
    assert (lengths == {16}) == (code in ("nik_satu_angka", "nik_tertukar", "nik_seri_palsu"))


def test_scientific_notation_is_the_spreadsheets(con) -> None:
    rows = con.execute(f"SELECT DISTINCT {damaged('nik', 'v', 'h')} FROM (SELECT '{NIK}' AS v, hash(i) AS h, "
                       "'nik_notasi_ilmiah' AS nik_kind, NULL AS borrowed FROM range(50) t(i))").fetchall()  # fmt: skip
    assert {row[0] for row in rows} == {"3.17101E+15", "3,17101E+15"}


def test_old_codes_are_read_as_todays_places(tmp_path: Path) -> None:
    """Merauke under its code and province from before 2022."""
    names_of = [c.file for c in layout("p3ke").columns if c.required or "KODE" in c.file or c.file == "PROVINSI"]
    given = {"ID_P3KE": "P1", "NIK_KEPALA_KELUARGA": "9101010101800001", "NO_KK": "9101010101080001",
             "KODE_PROV": "91", "PROVINSI": "PAPUA", "KODE_KAB": "9101", "KABUPATEN": "KAB. MERAUKE",
             "KODE_KEC": "910101", "KECAMATAN": "MERAUKE", "KODE_DESA": "9101011001",
             "DESA": "KARANG INDAH"}  # fmt: skip
    path = tmp_path / "p3ke.csv"
    path.write_text(",".join(names_of) + "\n" + ",".join(given[n] for n in names_of) + "\n", encoding="utf-8")
    con = duckdb.connect()
    settle(con, "p3ke", read_source(con, "p3ke", [path]))
    assert con.execute("SELECT code[:4] FROM source_p3ke_region").fetchall() == [("9301",)]
    assert con.execute("SELECT count(*) FROM source_p3ke").fetchall() == [(1,)]


def test_names_come_from_many_regions_with_skewed_frequencies(con) -> None:
    words = {word for lists in names.pools().values() for role in lists.values() for word in role}
    assert len(words) >= 1000
    names.register(con)
    con.execute("""CREATE TABLE person AS SELECT i AS id_anggota, i // 3 AS id_keluarga,
        (i % 38)::UTINYINT AS province, (1 + i % 2)::UTINYINT AS jenis_kelamin FROM range(30000) t(i)""")
    con.execute(f"CREATE TABLE named AS {names.named('person', 5)}")
    rows, distinct, most = con.execute(
        "SELECT count(*), count(DISTINCT name), (SELECT max(c) FROM (SELECT count(*) AS c FROM named GROUP BY name)) "
        "FROM named WHERE name <> ''").fetchall()[0]  # fmt: skip
    assert rows == 30000
    assert 0.3 < distinct / rows < 0.9
    assert most > 50
    counts = dict(con.execute("SELECT len(string_split(name, ' ')), count(*) FROM named GROUP BY 1").fetchall())
    assert counts[1] > 2000
    assert counts[2] > 8000
    assert counts[3] > 3000


def read_back(con: duckdb.DuckDBPyConnection, written: Path, kind: str, columns: str) -> None:
    """Table ``read_rows`` in `con`: the accepted records of a file, with their damage and simulated family; and
    ``read_finding``: how many records have a warning."""
    reader = duckdb.connect()
    read_source(reader, kind, [written / FILES[kind]])
    region = f"LEFT JOIN source_{kind}_region USING (region_id)" if kind == "regsosek_keluarga" else ""
    rows = reader.sql(f"SELECT line_from, {columns} FROM source_{kind} {region}").to_arrow_table()
    con.register("read_arrow", rows)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE read_rows AS
        SELECT r.*, t.damage, t.sim_id_anggota AS person, t.sim_id_keluarga AS family
        FROM read_arrow r JOIN truth_record t USING (line_from) WHERE t.kind = ?""", [kind],
    )  # fmt: skip
    con.unregister("read_arrow")
    found = reader.execute("SELECT rule, sum(records)::BIGINT FROM rule_finding WHERE severity = 'warning' GROUP BY 1")
    con.execute("CREATE OR REPLACE TEMP TABLE read_finding (rule VARCHAR, records BIGINT)")
    con.executemany("INSERT INTO read_finding VALUES (?, ?)", [["", 0], *map(list, found.fetchall())])
    reader.close()


def test_a_merged_card_names_everyone_on_it_and_a_split_one_only_its_own(people, written: Path) -> None:
    read_back(people, written, "regsosek_anggota", "id_register")
    people.execute("CREATE OR REPLACE TEMP TABLE member AS SELECT * FROM read_rows")
    read_back(people, written, "regsosek_keluarga", "id_register, jumlah_anggota_keluarga AS size")
    merged, right = people.execute(
        """WITH card AS (
          SELECT id_register, any_value(r.size) AS size, list(DISTINCT m.family) AS families
          FROM read_rows r JOIN member m USING (id_register) GROUP BY id_register
          HAVING bool_or(list_contains(m.damage, 'kartu_gabung'))
        ), each AS (SELECT id_register, size, unnest(families) AS family FROM card)
        SELECT count(*), count(*) FILTER (size = whole) FROM (
          SELECT id_register, any_value(size) AS size, sum(k.jumlah_anggota_keluarga) AS whole
          FROM each JOIN sim_keluarga k ON k.id_keluarga = family GROUP BY id_register HAVING count(*) > 1)"""
    ).fetchall()[0]
    assert merged == right > 5
    split, right = people.execute(
        """WITH parts AS (
          SELECT family, count(*) AS cards, sum(size) AS together, min(size) AS least FROM read_rows
          GROUP BY family HAVING bool_or(list_contains(damage, 'kartu_pecah')) AND count(*) = 2)
        SELECT count(*), count(*) FILTER (together = k.jumlah_anggota_keluarga AND least >= 1)
        FROM parts JOIN sim_keluarga k ON k.id_keluarga = family"""
    ).fetchall()[0]
    assert split == right > 5


def test_what_happens_to_families_has_the_declared_rates(people, written: Path) -> None:
    rule = damage()["events"]
    families = people.execute("SELECT count(*) FROM sim_keluarga").fetchall()[0][0]
    able = people.execute(f"""SELECT count(DISTINCT id_keluarga) FROM sim_anggota WHERE status_hubungan_keluarga > 2
        AND tanggal_lahir <= DATE '{rule["since"]}' - INTERVAL {rule["of_age"]} YEAR""").fetchall()[0][0]  # fmt: skip
    rows = people.execute("SELECT kind, host IS NOT NULL, count(*), min(day), max(day) FROM truth_event "
                          "GROUP BY ALL").fetchall()  # fmt: skip
    found = {(kind, hosted): count for kind, hosted, count, *_ in rows}
    assert found["joined", False] / able == pytest.approx(rule["joined"], rel=0.35)
    assert found["split", True] == found["split", False]  # whose card it was, and who split off from it
    assert found["split", True] / families == pytest.approx(rule["split"], rel=0.3)
    assert all(rule["since"] <= first <= last <= rule["until"] for *_, first, last in rows)
    assert people.execute("SELECT count(*) - count(DISTINCT sim_id_keluarga) FROM truth_event").fetchall() == [(0,)]
    cards = "SELECT count(former_card), count(DISTINCT former_card) FROM truth_event WHERE kind = 'joined'"
    assert len(set(people.execute(cards).fetchall()[0])) == 1, "a card given up is nobody else's"


def test_registers_older_than_an_event_show_the_earlier_cards(people, written: Path) -> None:
    """DTKS and P3KE: the day of every record tells which cards it shows."""
    for kind in ("dtks", "p3ke"):
        read_back(people, written, kind, "nomor_kartu_keluarga AS card, tanggal_pemutakhiran AS day")
        told, right = people.execute(
            """SELECT count(*), count(*) FILTER (CASE
                WHEN e.former_card IS NULL OR r.day >= e.day THEN r.card = k.nomor_kartu_keluarga
                WHEN e.host IS NOT NULL THEN r.card = e.former_card
                ELSE r.card IN (e.former_card, k.nomor_kartu_keluarga) END)
            FROM read_rows r JOIN truth_event e ON e.sim_id_keluarga = r.family
            JOIN sim_keluarga k ON k.id_keluarga = r.family
            WHERE NOT list_has_any(damage, ['rekaman_ganda', 'meninggal', 'baris_bergeser'])
              AND len(list_filter(damage, lambda code: starts_with(code, 'kk_'))) = 0"""
        ).fetchall()[0]
        assert told == right > 20, kind


def test_p3ke_writes_a_line_for_each_card_of_a_family_that_had_two(people, written: Path) -> None:
    read_back(people, written, "p3ke", "id_register, nomor_kartu_keluarga AS card, jumlah_anggota_keluarga AS size")
    assert people.execute("SELECT count(*) - count(DISTINCT id_register) FROM read_rows").fetchall() == [(0,)]
    two, right = people.execute(
        """WITH cards AS (
          SELECT family, count(*) AS lines, count(DISTINCT person) AS heads, sum(size) AS together
          FROM read_rows WHERE NOT list_contains(damage, 'rekaman_ganda') GROUP BY family
          HAVING bool_or(list_contains(damage, 'kartu_pecah')) AND count(*) > 1)
        SELECT count(*), count(*) FILTER (lines = 2 AND heads = 2 AND together = k.jumlah_anggota_keluarga)
        FROM cards JOIN sim_keluarga k ON k.id_keluarga = family"""
    ).fetchall()[0]
    assert two == right >= 3
    merged = people.execute("SELECT count(*) FROM read_rows WHERE list_contains(damage, 'kartu_gabung')").fetchall()
    assert merged == [(0,)], "who stands on another family's card has no line"


def test_the_civil_register_dates_its_cards_and_lags_by_the_declared_share(people, written: Path) -> None:
    read_back(people, written, "dukcapil", "nomor_kartu_keluarga AS card, tanggal_ubah_kartu AS changed")
    wrong, stale, events = people.execute(
        """WITH member AS (
          SELECT r.family, e.stale, bool_or(r.card = e.former_card) AS before, max(r.changed) AS changed,
            any_value(e.day) AS day
          FROM read_rows r JOIN truth_event e ON e.sim_id_keluarga = r.family WHERE e.former_card IS NOT NULL
            AND NOT list_contains(damage, 'ganda_dukcapil') GROUP BY ALL)
        SELECT count(*) FILTER (before <> stale OR (changed < day) <> stale), count(*) FILTER (stale), count(*)
        FROM member"""
    ).fetchall()[0]
    assert wrong <= 0.02 * events  # the one who had the former card stands in no civil register
    assert 0 < stale < 3 * damage()["events"]["stale"] * events
    assert people.execute("SELECT count(*) FROM read_rows WHERE changed IS NULL").fetchall() == [(0,)]


def test_codes_from_before_the_split_of_papua_lead_to_the_village_of_today(tmp_path: Path) -> None:
    con = duckdb.connect()
    population.fill(con, 400, ("9301", "9401", "9501", "9601", "9671"))  # in the provinces of 2022; two Sorongs
    write_registers(con, tmp_path, seed=11)
    read_back(con, tmp_path, "regsosek_keluarga", "village, province")
    old, right = con.execute(
        """SELECT count(*), count(*) FILTER (r.village = k.village AND r.province = k.province)
        FROM read_rows r JOIN sim_keluarga k ON k.id_keluarga = r.family
        WHERE list_contains(damage, 'wilayah_lama') AND NOT list_has_any(damage, ['pindah_desa', 'pindah_kabupaten',
          'baris_bergeser'])"""
    ).fetchall()[0]
    warned, marked, whole = con.execute(
        """SELECT (SELECT sum(records) FROM read_finding WHERE rule = 'wilayah_lama'),
          count(*) FILTER (list_contains(damage, 'wilayah_lama')), count(*) FROM read_rows"""
    ).fetchall()[0]
    con.close()
    assert old == right > 20
    assert warned == marked  # no record under a code of today, and all that are not
    assert whole > 300
