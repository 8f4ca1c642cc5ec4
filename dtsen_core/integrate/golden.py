"""Four registers become one registry: exact NIK against the civil register, one record per family card.

Who belongs to a family is what the civil register says; what a family is like comes from the first register
in the declared order (``data/rules/sources/priority.toml``) that knows it. Records are reduced to one per
card before anything is joined, so no step multiplies rows. The account of physical lines is closed before
matching begins and never changes afterwards.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.collect.readers import Progress, read_source, settle
from dtsen_core.collect.simulate.registers import FILES
from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.registry import ddl

READING = 0.7
"""Share of the whole work that is reading the files; used only for the progress bar."""
UNKNOWN_PROVINCE = 255
FAMILY_TABLE = {"regsosek": "source_regsosek_keluarga", "dtks": "source_dtks", "p3ke": "source_p3ke"}
PERSON_TABLE = {"regsosek": "source_regsosek_anggota", "dtks": "source_dtks", "p3ke": "source_p3ke"}

FROM_CIVIL = frozenset({
    "nomor_induk_kependudukan", "nomor_kartu_keluarga", "nama", "tanggal_lahir", "jenis_kelamin",
    "status_hubungan_keluarga", "status_kawin", "pendidikan_akhir_ktp", "pekerjaan_ktp", "rt_ktp", "rw_ktp",
    "dusun_ktp", "alamat_ktp",
})  # fmt: skip
"""Member variables for which the civil register is the authority."""


@lru_cache(maxsize=1)
def priority() -> tuple[str, ...]:
    """Registers in the order in which they give a family its attributes."""
    rules = tomllib.loads((RULES / "sources" / "priority.toml").read_text(encoding="utf-8"))
    order = tuple(rules["order"])
    if set(order) != set(FAMILY_TABLE):
        raise ValueError(f"priority.toml: {order}")
    return order


def integrate(
    con: duckdb.DuckDBPyConnection, source_dir: Path | str, *, progress: Progress | None = None
) -> None:
    """Read the registers in `source_dir` and make ``keluarga``, ``anggota``, ``ingest_file``,
    ``quarantine``, ``joined_record`` and ``match_summary`` in `con`; if `con` holds ``sim_keluarga``, also
    ``truth_link(id_keluarga, sim_id_keluarga)``.

    ``match_summary``: one row per source and province (idx; 255 = not known): `unit` (person or family),
    `records`, `matched`, `unmatched`; for ``dukcapil`` the families of the civil register, `unmatched` being
    those no register knows (the coverage gap) and those whose family record was unusable.
    UserError: a register is missing or is not what it should be.
    """
    folder = Path(source_dir)
    _read(con, folder, progress)
    steps = (_civil, _links, _candidates, _families, _members, _family_sums, _summary, _truth_link, _drop)
    for number, step in enumerate(steps):
        step(con)
        if progress is not None:
            progress(READING + (1 - READING) * (number + 1) / len(steps))


def _read(con: duckdb.DuckDBPyConnection, folder: Path, progress: Progress | None) -> None:
    paths = {kind: folder / name for kind, name in FILES.items()}
    lacking = [path.name for path in paths.values() if not path.is_file()]
    if lacking:
        raise UserError("errors_ingest.no_sources", path=str(folder), missing=", ".join(lacking))
    total = sum(path.stat().st_size for path in paths.values()) or 1
    before = 0
    for kind, path in paths.items():
        size = path.stat().st_size

        def advance(share: float, before: int = before, size: int = size) -> None:
            if progress is not None:
                progress(READING * (before + share * size) / total)

        files = read_source(con, kind, [path], progress=advance, temporary=True)
        settle(con, kind, files)
        before += size


def _one_per(con: duckdb.DuckDBPyConnection, table: str, key: str) -> str:
    """`table`, or a SELECT with its first record per `key` where a key occurs twice."""
    rows, keys = con.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {table}").fetchall()[0]
    if rows == keys:
        return table
    first = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file_id, line_from) = 1"
    return f"(SELECT * FROM {table} {first})"


def _civil(con: duckdb.DuckDBPyConnection) -> None:
    """``civil``: one row per NIK of the civil register with its family card."""
    source = _one_per(con, "source_dukcapil", "nomor_induk_kependudukan")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE civil AS
        SELECT nomor_induk_kependudukan AS nik, nomor_kartu_keluarga AS kk,
          s.* EXCLUDE (nomor_induk_kependudukan, nomor_kartu_keluarga), r.province, r.code
        FROM {source} s JOIN source_dukcapil_region r USING (region_id)"""
    )
    con.execute("DROP TABLE source_dukcapil")


def _links(con: duckdb.DuckDBPyConnection) -> None:
    """``link_<source>``: every record of a register with the card of its NIK (NULL: not in the civil
    register)."""
    details = {
        "regsosek": "m.id_register, m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same",
        "dtks": "coalesce(m.status_register = 'AKTIF', false) AS active, m.tanggal_pemutakhiran AS day, "
                "m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same, m.region_id",
        "p3ke": "m.tanggal_pemutakhiran AS day, m.region_id",
    }  # fmt: skip
    for source, columns in details.items():
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE link_{source} AS
            SELECT m.nomor_induk_kependudukan AS nik, c.kk, m.file_id, m.line_from, {columns}
            FROM {PERSON_TABLE[source]} m LEFT JOIN civil c ON c.nik = m.nomor_induk_kependudukan"""
        )


CANDIDATES = {
    # A field family goes to the card that most of its matched members are on; a card takes the field
    # family with most of its members.
    "regsosek": """
        WITH shared AS (
          SELECT id_register, kk, count(DISTINCT nik) AS members, bool_or(coalesce(head, false)) AS head
          FROM link_regsosek WHERE kk IS NOT NULL GROUP BY id_register, kk
        ), card_of AS (
          SELECT * FROM shared
          QUALIFY row_number() OVER (PARTITION BY id_register ORDER BY members DESC, head DESC, kk) = 1
        ), chosen AS (
          SELECT * FROM card_of
          QUALIFY row_number() OVER (PARTITION BY kk ORDER BY members DESC, head DESC, id_register) = 1
        ), family AS (
          SELECT id_register, min({'file_id': file_id, 'line_from': line_from}) AS place
          FROM source_regsosek_keluarga GROUP BY id_register
        )
        SELECT kk, place.file_id AS file_id, place.line_from AS line_from
        FROM chosen JOIN family USING (id_register)""",
    "dtks": """
        SELECT kk, file_id, line_from FROM link_dtks WHERE kk IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY kk ORDER BY active DESC, day DESC NULLS LAST, head DESC NULLS LAST,
          file_id, line_from) = 1""",
    "p3ke": """
        SELECT kk, file_id, line_from FROM link_p3ke WHERE kk IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY kk ORDER BY day DESC NULLS LAST, file_id, line_from) = 1""",
}
"""For every register: one record per family card, the one that describes the family."""


def _candidates(con: duckdb.DuckDBPyConnection) -> None:
    """``candidate`` (kk, source, file_id, line_from), ``primary_record`` (the first by priority) and
    ``sources`` (kk, is_<source>)."""
    listed = " UNION ALL ".join(
        f"SELECT kk, '{source}' AS source, {rank} AS rank, file_id, line_from FROM ({CANDIDATES[source]})"
        for rank, source in enumerate(priority())
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE candidate AS {listed}")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE primary_record AS
        SELECT kk, min_by(source, rank) AS source, min_by(file_id, rank) AS file_id,
          min_by(line_from, rank) AS line_from
        FROM candidate GROUP BY kk"""
    )
    known = " UNION ALL ".join(
        f"SELECT DISTINCT kk, '{source}' AS source FROM link_{source} WHERE kk IS NOT NULL"
        for source in FAMILY_TABLE
    )
    flags = ", ".join(f"bool_or(source = '{source}') AS is_{source}" for source in FAMILY_TABLE)
    con.execute(f"CREATE OR REPLACE TEMP TABLE sources AS SELECT kk, {flags} FROM ({known}) GROUP BY kk")


def _attributes(source: str) -> list[str]:
    """Family variables that `source` gives: everything it has but identity, place and name."""
    kind = FAMILY_TABLE[source].removeprefix("source_")
    has = {column.name for column in layout(kind).columns}
    mine = [f.name for f in ddl.stored_fields("keluarga") if f.group in ("perumahan", "aset")]
    return [name for name in [*mine, "alamat", "id_pelanggan_pln"] if name in has]


def _families(con: duckdb.DuckDBPyConnection) -> None:
    """``keluarga``, sorted by village; composition and head's name from the civil register."""
    parts = []
    for source, table in FAMILY_TABLE.items():
        own = ", ".join(f"s.{name}" for name in _attributes(source))
        parts.append(
            f"""SELECT p.kk, p.source AS attribute_source, r.province, r.regency, r.district, r.village, r.code,
              {own}
            FROM primary_record p
            JOIN {table} s ON s.file_id = p.file_id AND s.line_from = p.line_from
            JOIN {table}_region r USING (region_id)
            WHERE p.source = '{source}'"""
        )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE described AS {' UNION ALL BY NAME '.join(parts)}"
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE card AS
        SELECT kk, count(*)::INTEGER AS members, min_by(nama, (status_hubungan_keluarga, nik)) AS head_name
        FROM civil WHERE kk IN (SELECT kk FROM described) GROUP BY kk"""
    )
    dated = " UNION ALL ".join(
        f"""SELECT c.kk, s.tanggal_pemutakhiran AS updated,
          {"s.tanggal_ground_check" if source == "regsosek" else "NULL::DATE"} AS checked
        FROM candidate c JOIN {table} s ON s.file_id = c.file_id AND s.line_from = c.line_from
        WHERE c.source = '{source}'"""
        for source, table in FAMILY_TABLE.items()
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE dated AS
        SELECT kk, max(updated) AS updated, max(checked) AS checked FROM ({dated}) GROUP BY kk"""
    )
    given = {
        "id_keluarga": "0", "urban": "coalesce(u.urban, 0)",
        "kode_provinsi": "left(d.code, 2)", "kode_kabupaten_kota": "left(d.code, 4)",
        "kode_kecamatan": "left(d.code, 6)", "kode_kelurahan_desa": "d.code",
        "nomor_kartu_keluarga": "d.kk", "nama_anggota_keluarga": "c.head_name",
        "jumlah_anggota_keluarga": "c.members", "attribute_source": "d.attribute_source",
        "tanggal_pemutakhiran": "t.updated", "tanggal_ground_check": "t.checked",
    }  # fmt: skip
    given |= {name: f"d.{name}" for name in ("province", "regency", "district", "village")}
    given |= {f"is_{source}": f"s.is_{source}" for source in FAMILY_TABLE}
    attributes = {name for source in FAMILY_TABLE for name in _attributes(source)}
    given |= {name: f"d.{name}" for name in attributes}
    con.execute(f"CREATE OR REPLACE TEMP TABLE village_urban AS {_village_urban(con)}")
    con.execute("DROP TABLE IF EXISTS keluarga")
    con.execute(ddl.create_table("keluarga"))
    con.execute(
        f"""INSERT INTO keluarga SELECT * REPLACE (row_number() OVER () - 1 AS id_keluarga) FROM (
          SELECT {_listed("keluarga", given)}
          FROM described d JOIN card c USING (kk) JOIN sources s USING (kk) JOIN dated t USING (kk)
          LEFT JOIN village_urban u USING (village)
          ORDER BY village, nomor_kartu_keluarga)"""
    )


def _listed(set_name: str, given: dict[str, str]) -> str:
    """One expression per stored column; NULL where nothing is given."""
    return ", ".join(
        f'{given.get(name, "NULL")}::{kind} AS "{name}"' for name, kind in ddl.columns(set_name)
    )


def _village_urban(con: duckdb.DuckDBPyConnection) -> str:
    """Urban or rural is an attribute of the village table, which only the simulation has."""
    if _has(con, "sim_keluarga"):
        return "SELECT village, max(urban) AS urban FROM sim_keluarga GROUP BY village"
    return "SELECT 0::UINTEGER AS village, 0::UTINYINT AS urban WHERE false"


def _has(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether an unqualified `table` (a name of ours) is found on the search path, in whichever database."""
    try:
        con.execute(f"SELECT 1 FROM {table} LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def _members(con: duckdb.DuckDBPyConnection) -> None:
    """``anggota``: every person of the civil register on a card of ``keluarga``, once, with the answers of
    the first register that asked this NIK."""
    asked = {
        source: {c.name for c in layout(PERSON_TABLE[source].removeprefix("source_")).columns}
        for source in priority()
    }
    fields = [f.name for f in ddl.stored_fields("anggota") if f.name not in FROM_CIVIL]
    asking = [s for s in priority() if s != "p3ke"]
    joins = []
    for source in asking:
        best = _one_per_person(con, source)
        joins.append(f"LEFT JOIN {best} {source} ON {source}.nomor_induk_kependudukan = c.nik")
    given: dict[str, str] = {}
    for name in fields:
        cases = " ".join(
            f"WHEN {s}.nomor_induk_kependudukan IS NOT NULL THEN {f'{s}.{name}' if name in asked[s] else 'NULL'}"
            for s in asking
        )
        if any(name in asked[s] for s in asking):
            given[name] = f"CASE {cases} END"
    if "dtks" in asking:  # the only register that knows who has contributions paid
        given |= {name: f"dtks.{name}" for name in ("pbi_nas", "pbi_pemda")}
    given |= {name: f"c.{name}" for name in FROM_CIVIL}
    given |= {
        "nomor_induk_kependudukan": "c.nik", "nomor_kartu_keluarga": "c.kk", "id_keluarga": "k.id_keluarga",
        "id_anggota": "0",
        "kode_provinsi_ktp": "left(c.code, 2)", "kode_kabupaten_kota_ktp": "left(c.code, 4)",
        "kode_kecamatan_ktp": "left(c.code, 6)", "kode_kelurahan_desa_ktp": "c.code",
    }  # fmt: skip
    con.execute("DROP TABLE IF EXISTS anggota")
    con.execute(ddl.create_table("anggota"))
    con.execute(
        f"""INSERT INTO anggota SELECT * REPLACE (row_number() OVER () - 1 AS id_anggota) FROM (
          SELECT {_listed("anggota", given)}
          FROM civil c JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk {" ".join(joins)}
          ORDER BY id_keluarga, status_hubungan_keluarga, nomor_induk_kependudukan)"""
    )


def _one_per_person(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """Table with the member answers of `source`, one row per NIK; the record that also agrees on the card
    goes before one that only shares the number."""
    table = PERSON_TABLE[source]
    rows, niks = con.execute(f"SELECT count(*), count(DISTINCT nik) FROM link_{source}").fetchall()[0]
    if rows == niks:
        return table
    order = "active DESC, day DESC NULLS LAST, " if source == "dtks" else ""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {source}_person AS
        SELECT file_id, line_from FROM link_{source} WHERE kk IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY nik ORDER BY same DESC NULLS LAST, {order}file_id, line_from) = 1"""
    )
    return f"(SELECT s.* FROM {table} s JOIN {source}_person USING (file_id, line_from))"


def _family_sums(con: duckdb.DuckDBPyConnection) -> None:
    """Family flags that follow from the members: a family has PBI if a member has it."""
    con.execute(
        """UPDATE keluarga SET pbi_nas = m.nas, pbi_pemda = m.pemda
        FROM (SELECT id_keluarga, min(pbi_nas) AS nas, min(pbi_pemda) AS pemda FROM anggota
          GROUP BY id_keluarga HAVING count(pbi_nas) + count(pbi_pemda) > 0) m
        WHERE m.id_keluarga = keluarga.id_keluarga"""
    )


def _summary(con: duckdb.DuckDBPyConnection) -> None:
    """``match_summary``: matched and unmatched records by source and province, and the coverage gap."""
    con.execute(
        f"""CREATE OR REPLACE TABLE match_summary AS
        WITH place AS (
          SELECT id_register, min(r.province) AS province
          FROM source_regsosek_keluarga JOIN source_regsosek_keluarga_region r USING (region_id)
          GROUP BY id_register
        ), record AS (
          SELECT 'regsosek' AS source, 'person' AS unit, province, kk IS NOT NULL AS found
          FROM link_regsosek LEFT JOIN place USING (id_register)
          UNION ALL
          SELECT 'dtks', 'person', r.province, kk IS NOT NULL
          FROM link_dtks LEFT JOIN source_dtks_region r USING (region_id)
          UNION ALL
          SELECT 'p3ke', 'family', r.province, kk IS NOT NULL
          FROM link_p3ke LEFT JOIN source_p3ke_region r USING (region_id)
          UNION ALL
          SELECT 'dukcapil', 'family', c.province, k.nomor_kartu_keluarga IS NOT NULL
          FROM (SELECT kk, min(province) AS province FROM civil GROUP BY kk) c
          LEFT JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk
        )
        SELECT source, unit, coalesce(province, {UNKNOWN_PROVINCE})::UTINYINT AS province,
          count(*) AS records, count(*) FILTER (found) AS matched, count(*) FILTER (NOT found) AS unmatched
        FROM record GROUP BY ALL ORDER BY ALL"""
    )


def _truth_link(con: duckdb.DuckDBPyConnection) -> None:
    """For the evaluation only: which simulated family a record describes."""
    if _has(con, "sim_keluarga"):
        con.execute(
            """CREATE OR REPLACE TABLE truth_link AS
            SELECT k.id_keluarga, s.id_keluarga AS sim_id_keluarga
            FROM keluarga k JOIN sim_keluarga s USING (nomor_kartu_keluarga) ORDER BY k.id_keluarga"""
        )


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    work = ["civil", "candidate", "primary_record", "sources", "described", "card", "dated", "village_urban",
            "dtks_person", "regsosek_person", "reading_file",
            *(f"link_{source}" for source in FAMILY_TABLE)]  # fmt: skip
    for kind in FILES:
        work += [f"source_{kind}", f"source_{kind}_region"]
    for table in work:
        con.execute(f"DROP TABLE IF EXISTS {table}")
