"""Names, numbers, dates and addresses of the simulated people, in one SQL pass over all of them.

A NIK is PPKKCC DDMMYY SSSS: district of first registration, birth date (women +40 on the day), serial. A
card number is built alike from the district and the date of issue. Everything follows from a hash of the
row, so a seed always gives the same people.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from dtsen_core.collect.simulate import names
from dtsen_core.regions import units
from dtsen_core.registry import ddl
from dtsen_core.registry.codelists import codelist


def register_units(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary tables ``unit_<level>(idx, code, name)`` of the shipped region tables, ``unit_history(code,
    old_code, since)`` of the regencies that changed province, and the tables of names."""
    for level in ("province", "regency", "district", "village"):
        frame = units.table(level)[["code", "name"]].reset_index(names="idx").astype({"code": object, "name": object})
        con.register("unit_frame", frame)
        con.execute(f"CREATE OR REPLACE TEMP TABLE unit_{level} AS SELECT * FROM unit_frame")
        con.unregister("unit_frame")
    con.register("unit_frame", units.history()[["code", "old_code", "since"]].astype(object))
    con.execute("""CREATE OR REPLACE TEMP TABLE unit_history AS
        SELECT code, old_code, CAST(since AS INTEGER) AS since FROM unit_frame""")
    con.unregister("unit_frame")
    names.register(con)


def _pick(name: str, key: str) -> str:
    listed = names.rules()["places"][name]
    words = ", ".join("'" + entry.replace("'", "''") + "'" for entry in listed)
    return f"[{words}][1 + CAST({key} % {len(listed)} AS INTEGER)]"


def _label(list_name: str, column: str) -> str:
    """The Indonesian words of a coded column, as the civil register writes them."""
    cases = " ".join(
        f"WHEN {code.value} THEN '{code.label_id.upper()}'" for code in codelist(list_name).codes
    )
    return f"CASE {column} {cases} END"


def _select(table: str, given: dict[str, str]) -> str:
    """One expression per column of the internal table; what is not given is NULL."""
    return ",\n  ".join(
        f"CAST({given[name]} AS {kind}) AS {name}" if name in given else f"CAST(NULL AS {kind}) AS {name}"
        for name, kind in ddl.columns(table)
    )


def families_sql(seed: int, source: str, *, named: bool) -> str:
    """``sim_keluarga`` from the drawn families `source`; without `named` no number, name or address."""
    h = f"hash(k.id_keluarga, {seed})"
    given = {name: f"k.{name}" for name, _ in ddl.KEYS["keluarga"]}
    drawn = {f.name for f in ddl.stored_fields("keluarga") if f.group in ("perumahan", "aset")}
    given |= {name: f"k.{name}" for name in drawn | {"jumlah_anggota_keluarga"}}
    given |= {
        "kode_provinsi": "substr(v.code, 1, 2)", "kode_kabupaten_kota": "substr(v.code, 1, 4)",
        "kode_kecamatan": "substr(v.code, 1, 6)", "kode_kelurahan_desa": "v.code",
        "tanggal_ground_check": "checked",
        "tanggal_pemutakhiran": "coalesce(checked, updated)",
    }  # fmt: skip
    if named:
        given |= {
            "alamat": f"'Jl. ' || {_pick('streets', f'({h} >> 8)')} || ' No. ' || (1 + {h} % 180)",
            "nomor_kartu_keluarga": "c.card",
            "id_pelanggan_pln": f"CASE WHEN k.sumber_penerangan_utama = 1 "
                                f"THEN lpad(CAST({h} % 1000000000000 AS VARCHAR), 12, '5') END",
        }  # fmt: skip
    # Field checks are uneven between regencies: that is what the freshness map is for.
    diligence = f"(0.35 + 1.3 * (hash(k.regency, {seed}, 5) % 1000) / 1000.0)"
    cards = f""",
drawn_card AS (
  SELECT k.id_keluarga, substr(v.code, 1, 6) AS here,
    DATE '2006-01-01' + CAST(hash(k.id_keluarga, {seed}, 7) % 6900 AS INTEGER) AS day
  FROM {source} AS k JOIN unit_village AS v ON v.idx = k.village
), issued AS (
  SELECT d.id_keluarga, d.day, {_then("d.here", "d.day")} AS place
  FROM drawn_card AS d LEFT JOIN unit_history AS h ON h.code = substr(d.here, 1, 4)
), card AS (
  SELECT id_keluarga, place || strftime(day, '%d%m%y') || lpad(CAST(
    row_number() OVER (PARTITION BY place, day ORDER BY id_keluarga) AS VARCHAR), 4, '0') AS card FROM issued
)"""
    kept = "k.id_keluarga" if named else "k.*"
    return f"""WITH dated AS (
  SELECT {kept},
    CASE WHEN {h} % 1000 < 126 * {diligence} THEN
      DATE '2025-03-01' + CAST(({h} >> 12) % 300 AS INTEGER) END AS checked,
    CASE WHEN ({h} >> 20) % 100 < 34 * {diligence} THEN DATE '2023-02-01' + CAST(({h} >> 24) % 1030 AS INTEGER)
      ELSE DATE '2022-10-15' + CAST(({h} >> 24) % 60 AS INTEGER) END AS updated
  FROM {source} AS k
){cards if named else ""}
SELECT {_select("keluarga", given)}
FROM {f"{source} AS k JOIN dated AS d USING (id_keluarga)" if named else "dated AS k"}
JOIN unit_village AS v ON v.idx = k.village
{"JOIN card AS c USING (id_keluarga)" if named else ""}"""


def _then(code: str, day: str) -> str:
    """The district code of `code` as it was on `day`: before a split the regency had its old code (alias h)."""
    return f"CASE WHEN year({day}) < h.since THEN h.old_code || substr({code}, 5, 2) ELSE {code} END"


def members_sql(seed: int, as_of: dt.date, source: str, families: str) -> str:
    """``sim_anggota`` from the drawn persons `source` and the named `families`."""
    h = f"hash(p.id_anggota, {seed}, 11)"
    drawn = {f.name for f in ddl.stored_fields("anggota")
             if f.group in ("demografi", "pendidikan", "kerja_usaha", "kesehatan_disabilitas")}  # fmt: skip
    given = {name: f"p.{name}" for name in drawn - {"pendidikan_akhir_ktp", "pekerjaan_ktp"}}
    given |= {
        "id_anggota": "p.id_anggota", "id_keluarga": "p.id_keluarga", "nomor_kartu_keluarga": "p.card",
        "nomor_induk_kependudukan": "p.nik", "nama": "p.name", "tanggal_lahir": "p.born",
        "pendidikan_akhir_ktp": _label("ijazah", "p.ijazah_tertinggi_yang_dimiliki"),
        "pekerjaan_ktp": f"coalesce({_label('status_pekerjaan', 'p.status_dalam_pekerjaan_utama')}, "
                         "CASE WHEN p.partisipasi_sekolah = 2 THEN 'PELAJAR/MAHASISWA' ELSE 'BELUM/TIDAK BEKERJA' END)",
        "kode_provinsi_ktp": "substr(p.code, 1, 2)", "kode_kabupaten_kota_ktp": "substr(p.code, 1, 4)",
        "kode_kecamatan_ktp": "substr(p.code, 1, 6)", "kode_kelurahan_desa_ktp": "p.code",
        "rt_ktp": f"lpad(CAST(1 + {h} % 12 AS VARCHAR), 3, '0')",
        "rw_ktp": f"lpad(CAST(1 + ({h} >> 6) % 9 AS VARCHAR), 3, '0')",
        "dusun_ktp": _pick("hamlets", f"({h} >> 10)"), "alamat_ktp": "p.alamat",
    }  # fmt: skip
    return f"""WITH housed AS (
  SELECT p.*, k.province, k.nomor_kartu_keluarga AS card, k.alamat, k.kode_kelurahan_desa AS code,
    DATE '{as_of:%Y-%m-%d}' - CAST(p.age_days AS INTEGER) AS born,
    -- One in eight was first registered in another district of the province; the NIK keeps that place.
    CASE WHEN {h} % 8 = 0 THEN o.code ELSE substr(k.kode_kelurahan_desa, 1, 6) END AS first_code
  FROM {source} AS p JOIN {families} AS k USING (id_keluarga)
  JOIN unit_district AS o ON o.idx = greatest(0, CAST(k.district AS INTEGER) - 1 - CAST(({h} >> 9) % 3 AS INTEGER))
), placed AS (
  -- The number keeps the code of its day, also where a new province has taken the regency over.
  SELECT p.*, {_then("p.first_code", "p.born")} AS first_place
  FROM housed AS p LEFT JOIN unit_history AS h ON h.code = substr(p.first_code, 1, 4)
), numbered AS (
  SELECT *, first_place
    || lpad(CAST(day(born) + CASE WHEN jenis_kelamin = 2 THEN 40 ELSE 0 END AS VARCHAR), 2, '0')
    || strftime(born, '%m%y')
    || lpad(CAST(row_number() OVER (PARTITION BY first_place, jenis_kelamin, strftime(born, '%d%m%y')
                                    ORDER BY id_anggota) AS VARCHAR), 4, '0') AS nik
  FROM placed
), named AS (
  {names.named("numbered", seed)}
)
SELECT {_select("anggota", given)}
FROM named AS p"""
