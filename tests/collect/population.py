"""A small made-up population that honours the contract: full ``sim_keluarga`` and ``sim_anggota``."""

from __future__ import annotations

import duckdb
import pandas as pd

from dtsen_core.regions import units
from dtsen_core.registry import ddl
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import field

REGENCIES = ("1101", "3171", "3201")


def fill(con: duckdb.DuckDBPyConnection, families: int = 600, regencies: tuple[str, ...] = REGENCIES) -> None:
    village = units.table("village")
    chosen = village[village["code"].str[:4].isin(regencies)]
    # Villages whose name occurs twice in a district cannot be read back from BPS codes by anyone.
    chosen = chosen[~chosen.duplicated(["parent_code", "name"], keep=False)]
    frame = pd.DataFrame({"n": range(len(chosen)), "village": chosen.index, "code": chosen["code"].astype(object)})
    con.register("place_frame", frame)
    con.execute("CREATE OR REPLACE TEMP TABLE place AS SELECT * FROM place_frame")
    count = len(frame)
    index = {level: units.index(level) for level in ("province", "regency", "district")}
    rows = [(code, index["province"][code[:2]], index["regency"][code[:4]], index["district"][code[:6]])
            for code in frame["code"]]  # fmt: skip
    con.register("unit_frame", pd.DataFrame(rows, columns=["code", "province", "regency", "district"]))
    con.execute("CREATE OR REPLACE TEMP TABLE unit AS SELECT * FROM unit_frame")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE base AS
        SELECT i AS id_keluarga, p.*, u.* EXCLUDE (code), 1 + hash(i, 'size') % 5 AS size
        FROM range({families}) r(i) JOIN place p ON p.n = i * {count} // {families} JOIN unit u USING (code)"""
    )
    con.execute(f"CREATE TABLE sim_keluarga AS SELECT {_listed('keluarga')} FROM base b ORDER BY id_keluarga")
    con.execute(
        f"""CREATE TABLE sim_anggota AS SELECT {_listed('anggota')}
        FROM (SELECT b.*, j, row_number() OVER (ORDER BY id_keluarga, j) - 1 AS nth FROM base b, range(5) m(j)
          WHERE j < size) ORDER BY id_anggota"""
    )


def _listed(set_name: str) -> str:
    key = "id_keluarga" if set_name == "keluarga" else "id_keluarga, j"
    born = "(DATE '1950-01-01' + (hash(id_keluarga, j) % 25000)::INTEGER)"
    sex = "(1 + hash(id_keluarga, j, 'sex') % 2)"
    first = "['Sutinah', 'Bambang', 'Muhammad', 'Yuliana', 'Kosasih', 'Zubaidah', 'Wempi', 'Ketut', 'Ujang', 'Rosda']"
    last = "['Santoso', 'Hutapea', 'Wenda', 'Permana', 'Latuconsina', 'Nahak', 'Chaniago', 'Mappatoba']"
    given = {
        "id_keluarga": "id_keluarga", "id_anggota": "nth", "jenis_kelamin": sex, "urban": "1 + village % 2",
        "jumlah_anggota_keluarga": "size", "kode_provinsi": "left(code, 2)",
        "kode_kabupaten_kota": "left(code, 4)", "kode_kecamatan": "left(code, 6)", "kode_kelurahan_desa": "code",
        "nomor_kartu_keluarga": "left(code, 6) || lpad((id_keluarga + 1)::VARCHAR, 10, '0')",
        "nomor_induk_kependudukan": f"left(code, 6) || lpad((day({born}) + CASE WHEN {sex} = 2 THEN 40 ELSE 0 END)"
                                    f"::VARCHAR, 2, '0') || strftime({born}, '%m%y') "
                                    "|| lpad((1 + nth)::VARCHAR, 4, '0')",
        "nama_anggota_keluarga": "'Orang ' || id_keluarga",
        "nama": f"{first}[1 + (hash(nth, 1) % 10)::INTEGER] || ' ' || {last}[1 + (hash(nth, 2) % 8)::INTEGER]",
        "alamat": "'Jl. Damai No. ' || id_keluarga", "tanggal_lahir": born,
        "alamat_ktp": "'Jl. Damai No. ' || id_keluarga || ', RT 1'",
        "status_hubungan_keluarga": "CASE j WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 3 END",
        "tanggal_pemutakhiran": "DATE '2022-10-15' + (id_keluarga % 60)::INTEGER",
        "tanggal_ground_check": "NULL", "attribute_source": "NULL", "is_dtks": "NULL", "is_regsosek": "NULL",
        "is_p3ke": "NULL",
    }  # fmt: skip
    given |= {name: name for name in ("province", "regency", "district", "village")}
    given |= {f"kode_{name}_ktp": f"left(code, {width})" for name, width in
              (("provinsi", 2), ("kabupaten_kota", 4), ("kecamatan", 6), ("kelurahan_desa", 10))}  # fmt: skip
    parts = []
    for name, kind in ddl.columns(set_name):
        parts.append(f'({given.get(name) or _drawn(set_name, name, key)})::{kind} AS "{name}"')
    return ", ".join(parts)


def _drawn(set_name: str, name: str, key: str) -> str:
    found = field(set_name, name)
    if found.type in ("code", "flag"):
        values = ", ".join(str(code.value) for code in codelist(found.codelist).codes if not code.merges)
        return f"[{values}, NULL][1 + (hash({key}, '{name}') % len([{values}, NULL]))::INTEGER]"
    if found.type == "number":
        return f"10 + hash({key}, '{name}') % 90"
    if found.type == "integer":
        return f"1 + hash({key}, '{name}') % 9"
    return f"'T' || (hash({key}, '{name}') % 50)::VARCHAR"
