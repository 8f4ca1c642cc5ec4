"""``keluarga``: one row per family card, each variable from the record that the rules choose.

Who belongs to a family, and its head, is what the cards in ``civil`` say (`composition`); everything else comes from
the recipient registers. Records are reduced to one per register and card before anything is joined, so no step
multiplies rows.
"""

from __future__ import annotations

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.integrate.golden.linked import SOURCES
from dtsen_core.integrate.golden.reading import records
from dtsen_core.integrate.survivorship import TRACED, rules
from dtsen_core.registry import ddl
from dtsen_core.registry.catalog import has

FAMILY_KIND = {"regsosek": "regsosek_keluarga", "dtks": "dtks", "p3ke": "p3ke"}
"""Register → layout whose records describe families."""
CIVIL = "dukcapil"
PLACE = ("province", "regency", "district", "village", "code")
CODE_WIDTH = {"kode_provinsi": 2, "kode_kabupaten_kota": 4, "kode_kecamatan": 6, "kode_kelurahan_desa": 10}

# Every record that speaks of a card, and the one per register that describes it (`chosen`).
SPEAKING = {
    # A field family is the record of the card that most of its matched members are on; a card takes the one with
    # most of its members. A card none of them is the record of has members on another's: that is where they live.
    "regsosek": """
        WITH met AS (
          SELECT id_register, kk, count(DISTINCT nik) AS members, bool_or(coalesce(head, false)) AS head
          FROM link_regsosek WHERE kk IS NOT NULL GROUP BY id_register, kk
        ), card_of AS (
          SELECT *, row_number() OVER (PARTITION BY id_register ORDER BY members DESC, head DESC, kk) > 1 AS shared
          FROM met
        )
        SELECT kk, file_id, line_from, tanggal_pemutakhiran AS day, tanggal_ground_check AS checked, shared,
          row_number() OVER (PARTITION BY kk ORDER BY shared, members DESC, head DESC, id_register, file_id, line_from)
            = 1 AS chosen
        FROM card_of JOIN {rows} USING (id_register) QUALIFY chosen OR NOT shared""",
    "dtks": """
        SELECT kk, file_id, line_from, day, NULL::DATE AS checked, false AS shared,
          row_number() OVER (PARTITION BY kk ORDER BY active DESC, day DESC NULLS LAST, head DESC NULLS LAST,
            file_id, line_from) = 1 AS chosen
        FROM link_dtks WHERE kk IS NOT NULL""",
    "p3ke": """
        SELECT kk, file_id, line_from, day, NULL::DATE AS checked, false AS shared,
          row_number() OVER (PARTITION BY kk ORDER BY day DESC NULLS LAST, file_id, line_from) = 1 AS chosen
        FROM link_p3ke WHERE kk IS NOT NULL""",
}


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``keluarga`` (sorted by village), ``family_origin`` and ``source_record``.

    Leaves the temporary tables ``family_record`` and ``described`` for `losers`.
    """
    _records(con)
    for source in SOURCES:
        _chosen(con, source)
    _described(con)
    _keluarga(con)
    _trace(con)
    for source in SOURCES:
        con.execute(f"DROP TABLE chosen_{source}")


def given(source: str) -> list[str]:
    """Family variables of the rules that records of `source` can give."""
    kind = FAMILY_KIND[source]
    has_columns = {column.name for column in layout(kind).columns}
    listed = [v for g in rules().of("keluarga", "recency", "priority") for v in g.variables]
    return [name for name in listed if name in has_columns and name not in CODE_WIDTH]


def lived_in(name: str) -> bool:
    """Does the answer to a family variable hold for everyone who lives in the dwelling, whoever's record it is on?"""
    group = rules().group("keluarga", name)
    return group is not None and group.dwelling


def _records(con: duckdb.DuckDBPyConnection) -> None:
    """``family_record``; another family's record speaks only for cards that no record of their own describes."""
    parts = " UNION ALL ".join(
        f"SELECT '{source}' AS source, * FROM ({SPEAKING[source].format(rows=records(con, FAMILY_KIND[source]))})"
        for source in SOURCES
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE family_record AS {parts}")
    con.execute(
        """DELETE FROM family_record WHERE shared
        AND kk IN (SELECT kk FROM family_record WHERE chosen AND NOT shared)"""
    )


def _chosen(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """``chosen_<source>``: per card the describing record of one register, with its place. Of another family's record
    only what is said of the dwelling counts."""
    kind = FAMILY_KIND[source]
    own = "".join(
        f", s.{name}" if lived_in(name) else f", CASE WHEN NOT f.shared THEN s.{name} END AS {name}"
        for name in given(source)
    )
    place = ", ".join(f"r.{name}" for name in PLACE)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE chosen_{source} AS
        SELECT f.kk, f.day, {place}{own}
        FROM (SELECT kk, file_id, line_from, day, shared FROM family_record WHERE chosen AND source = '{source}') f
        JOIN {records(con, kind)} s USING (file_id, line_from)
        LEFT JOIN source_{kind}_region r USING (region_id)"""
    )


def _described(con: duckdb.DuckDBPyConnection) -> None:
    """``described``: kk, values, ``o_<decision>`` (code of the register), day of each register's record."""
    known = {source: {*given(source), *CODE_WIDTH} for source in SOURCES}
    declared = rules()
    origins, values, weights = [], [], {source: [] for source in SOURCES}  # type: ignore[var-annotated]
    for group in declared.of("keluarga", "recency", "priority"):
        for lead, decided in group.decisions():
            asked = "code" if lead in CODE_WIDTH else lead
            able = [source for source in SOURCES if lead in known[source]]
            standings = [
                f"CASE WHEN {s}.{asked} IS NOT NULL THEN {declared.standing(group.rule, s, f'{s}.day')} END"
                for s in able
            ]
            best = f"greatest({', '.join(standings)})" if len(standings) > 1 else standings[0]
            origins.append(f"{declared.winner(best)} AS o_{lead}")
            names = [name for name in decided if name not in CODE_WIDTH]
            names += list(PLACE) if asked == "code" else []
            for name in names:
                cases = " ".join(
                    f"WHEN {declared.codes[s]} THEN {s}.{name}" for s in able if name in PLACE or name in known[s]
                )
                values.append(f"CASE o_{lead} {cases} END AS {name}")
            for s in able:
                count = sum(name in known[s] for name in decided)
                weights[s].append(f"(o_{lead} = {declared.codes[s]})::INTEGER * {count}")
    origins.append(f"coalesce(told_by.code, {declared.codes[CIVIL]})::UTINYINT AS o_nomor_kartu_keluarga")
    # The register that gave most of the family's variables; the declared order decides between equals.
    most = ", ".join(f"({' + '.join(weights[s])}) * 8 + {declared.standing('priority', s, '')}" for s in SOURCES)
    days = ", ".join(f"{s}.day AS day_{s}" for s in SOURCES)
    joins = " ".join(f"LEFT JOIN chosen_{s} AS {s} ON {s}.kk = cards.kk" for s in SOURCES)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE described AS
        SELECT cards.kk, {days}, {", ".join(origins)}, {declared.winner(f"greatest({most})")} AS main,
          {", ".join(values)}
        FROM (SELECT DISTINCT kk FROM family_record WHERE chosen) AS cards {joins}
        LEFT JOIN ({_new_cards()}) AS told_by ON told_by.kk = cards.kk"""
    )


def _new_cards() -> str:
    """SQL: cards that the civil register does not have, with the code of the register that told of them."""
    codes = " ".join(f"WHEN '{source}' THEN {code}" for source, code in rules().codes.items())
    return f"""SELECT kk, max(CASE source {codes} END) AS code FROM card_moved
      WHERE kk NOT IN (SELECT kk FROM civil ANTI JOIN card_moved USING (nik)) GROUP BY kk"""


def _keluarga(con: duckdb.DuckDBPyConnection) -> None:
    names = " ".join(f"WHEN {code} THEN '{source}'" for source, code in rules().codes.items())
    con.execute(
        """CREATE OR REPLACE TEMP TABLE card AS
        SELECT kk, count(*)::INTEGER AS members, min_by(nama, (status_hubungan_keluarga, nik)) AS head_name
        FROM civil SEMI JOIN described USING (kk) GROUP BY kk"""
    )
    known = ", ".join(f"bool_or(source = '{source}') AS is_{source}" for source in SOURCES)
    linked = " UNION ALL ".join(
        f"SELECT DISTINCT kk, '{source}' AS source FROM link_{source} WHERE kk IS NOT NULL" for source in SOURCES
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE known_by AS SELECT kk, {known} FROM ({linked}) GROUP BY kk")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE dated AS
        SELECT kk, max(day) AS updated, max(checked) AS checked FROM family_record WHERE chosen GROUP BY kk"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE village_urban AS {_village_urban(con)}")
    given_by = {name: f"d.{name}" for source in SOURCES for name in given(source)}
    given_by |= {name: f"d.{name}" for name in PLACE if name != "code"}
    given_by |= {name: f"left(d.code, {width})" for name, width in CODE_WIDTH.items()}
    given_by |= {f"is_{source}": f"s.is_{source}" for source in SOURCES}
    given_by |= {
        "id_keluarga": "0", "urban": "coalesce(u.urban, 0)", "nomor_kartu_keluarga": "d.kk",
        "nama_anggota_keluarga": "c.head_name", "jumlah_anggota_keluarga": "c.members",
        "attribute_source": f"CASE d.main {names} END", "tanggal_pemutakhiran": "t.updated",
        "tanggal_ground_check": "t.checked",
    }  # fmt: skip
    con.execute("DROP TABLE IF EXISTS keluarga")
    con.execute(ddl.create_table("keluarga"))
    con.execute(
        f"""INSERT INTO keluarga SELECT * REPLACE (row_number() OVER () - 1 AS id_keluarga) FROM (
          SELECT {listed("keluarga", given_by)}
          FROM described d JOIN card c USING (kk) JOIN known_by s USING (kk) JOIN dated t USING (kk)
          LEFT JOIN village_urban u USING (village)
          WHERE d.village IS NOT NULL
          ORDER BY village, nomor_kartu_keluarga)"""
    )
    for table in ("card", "known_by", "dated", "village_urban"):
        con.execute(f"DROP TABLE {table}")


def _trace(con: duckdb.DuckDBPyConnection) -> None:
    """``family_origin`` and ``source_record``, by family."""
    columns = []
    for group in rules().of("keluarga", *TRACED):
        for lead, decided in group.decisions():
            columns += [f"o_{lead} AS {name}" for name in decided]
    con.execute(
        f"""CREATE OR REPLACE TABLE family_origin AS SELECT k.id_keluarga, {", ".join(columns)}
        FROM keluarga k JOIN described d ON d.kk = k.nomor_kartu_keluarga ORDER BY k.id_keluarga"""
    )
    layouts = " ".join(f"WHEN '{source}' THEN '{kind}'" for source, kind in FAMILY_KIND.items())
    con.execute(
        f"""CREATE OR REPLACE TABLE source_record AS
        SELECT k.id_keluarga, f.source, p.path_id, f.line_from, f.day, f.chosen, f.shared
        FROM family_record f JOIN keluarga k ON k.nomor_kartu_keluarga = f.kk
        JOIN source_file p ON p.file_id = f.file_id AND p.source = CASE f.source {layouts} END
        ORDER BY k.id_keluarga, f.source, p.path_id, f.line_from"""
    )


def listed(set_name: str, given_by: dict[str, str]) -> str:
    """One expression per stored column; NULL where nothing is given."""
    return ", ".join(f'{given_by.get(name, "NULL")}::{kind} AS "{name}"' for name, kind in ddl.columns(set_name))


def _village_urban(con: duckdb.DuckDBPyConnection) -> str:
    """Urban or rural is an attribute of the village table, which only the simulation has."""
    if has(con, "sim_keluarga"):
        return "SELECT village, max(urban) AS urban FROM sim_keluarga GROUP BY village"
    return "SELECT 0::UINTEGER AS village, 0::UTINYINT AS urban WHERE false"


def family_sums(con: duckdb.DuckDBPyConnection) -> None:
    """Family flags that follow from the members: a family has PBI if a member has it."""
    con.execute(
        """UPDATE keluarga SET pbi_nas = m.nas, pbi_pemda = m.pemda
        FROM (SELECT id_keluarga, min(pbi_nas) AS nas, min(pbi_pemda) AS pemda FROM anggota
          GROUP BY id_keluarga HAVING count(pbi_nas) + count(pbi_pemda) > 0) m
        WHERE m.id_keluarga = keluarga.id_keluarga"""
    )
