"""The table of every kind of damage: its code, the slot it belongs to, and what it does to the clean value.

A record has at most one damage per slot. In the SQL templates ``{v}`` is the clean value, ``{h}`` a hash of the
record that decides details; ``when`` is a condition on the person (alias ``a``) without which the kind cannot
occur, and a rate is then a share of the records for which it can. Sentences for people stand under
``identity.damage_<code>``.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOTS = ("nik", "kk", "nama", "lahir", "jk", "tempat", "keluarga", "rekaman", "isian", "baris")
"""Slots in the order in which a record lists its damages."""


@dataclass(frozen=True)
class Kind:
    code: str
    slot: str
    text: str = ""
    when: str = "true"


def _digit(place: str) -> str:
    changed = f"((substr({{v}}, {place}, 1)::INTEGER + 1 + (({{h}} >> 8) % 9)::INTEGER) % 10)::VARCHAR"
    return f"left({{v}}, {place} - 1) || {changed} || substr({{v}}, {place} + 1)"


def _swapped(place: str) -> str:
    pair = f"substr({{v}}, {place} + 1, 1) || substr({{v}}, {place}, 1)"
    return f"left({{v}}, {place} - 1) || {pair} || substr({{v}}, {place} + 2)"


_PLACE = "(1 + ({h} % 16)::INTEGER)"
_PAIR = "(1 + ({h} % 15)::INTEGER)"
_SECOND = "(1 + (({h} >> 16) % 15)::INTEGER)"
NUMBERS = {
    "satu_angka": _digit(_PLACE),
    "tertukar": f"CASE WHEN substr({{v}}, {_PAIR}, 1) <> substr({{v}}, {_PAIR} + 1, 1) THEN {_swapped(_PAIR)} "
                f"WHEN substr({{v}}, {_SECOND}, 1) <> substr({{v}}, {_SECOND} + 1, 1) THEN {_swapped(_SECOND)} "
                f"ELSE {_digit(_PLACE)} END",
    "terpotong": "left({v}, (10 + {h} % 6)::INTEGER)",
    "berlebih": "CASE {h} % 4 WHEN 0 THEN {v} || (({h} >> 4) % 10)::VARCHAR WHEN 1 THEN {v} || '00' "
                "WHEN 2 THEN '00' || {v} ELSE left({v}, 8) || substr({v}, 8) END",
    "notasi_ilmiah": "left({v}, 1) || CASE WHEN {h} % 3 = 0 THEN ',' ELSE '.' END || substr({v}, 2, 5) || 'E+15'",
    # No number begins with 0, but its parts do: stored as numbers, date and serial lose their zeros.
    "nol_hilang": "CASE WHEN {h} % 2 = 0 AND substr({v}, 7, 1) = '0' THEN left({v}, 6) || substr({v}, 8) "
                  "WHEN substr({v}, 13, 1) = '0' THEN left({v}, 12) || ltrim(substr({v}, 13), '0') "
                  "ELSE left({v}, 15) END",
    "kosong": "['', '', '-', '0', '0000000000000000'][1 + ({h} % 5)::INTEGER]",
    "seri_palsu": "left({v}, 12) || (9000 + {h} % 1000)::VARCHAR",
}  # fmt: skip
"""Damages that the person's number and the family card's number share."""

_TITLES_MALE = "['H. ', 'H. ', 'Drs. ', 'Ir. ', 'Ust. ', 'R. ']"
_TITLES_FEMALE = "['Hj. ', 'Hj. ', 'Dra. ', 'Ny. ', 'Dr. ', 'Rr. ']"
_DEGREES = "[' S.Pd', ' SE', ' S.Ag', ' SH', ' S.Sos', ' A.Md']"
_LETTER = "(2 + ({h} % greatest(length({v}) - 1, 1))::INTEGER)"
_TYPO = f"""CASE ({{h}} >> 12) % 4
    WHEN 0 THEN left({{v}}, {_LETTER} - 1) || substr({{v}}, {_LETTER} + 1)
    WHEN 1 THEN left({{v}}, {_LETTER}) || substr({{v}}, {_LETTER}, 1) || substr({{v}}, {_LETTER} + 1)
    WHEN 2 THEN left({{v}}, {_LETTER} - 1) || chr((97 + ({{h}} >> 20) % 26)::INTEGER) || substr({{v}}, {_LETTER} + 1)
    ELSE left({{v}}, {_LETTER} - 2) || substr({{v}}, {_LETTER}, 1) || substr({{v}}, {_LETTER} - 1, 1)
      || substr({{v}}, {_LETTER} + 1) END"""
_SHORT = [  # word at the beginning -> how it is written elsewhere
    ("Muhammad ", "['Muh. ', 'M. ', 'Moh. ', 'Mhd. ', 'Muhamad ', 'Mohammad ']"),
    ("Abdul ", "['Abd. ', 'Abd ', 'A. ', 'Abdoel ', 'Abd. ', 'Abdul']"),
    ("Ahmad ", "['A. ', 'Achmad ', 'Akhmad ', 'Ach. ', 'Ahmat ', 'A. ']"),
    ("Siti ", "['St. ', 'Sitti ', 'S. ', 'Sitti ', 'St ', 'Siti']"),
    ("Maria ", "['M. ', 'Mari ', 'Mariah ', 'M ', 'Marya ', 'Maria']"),
]
_SHORTENED = " ".join(
    f"WHEN starts_with({{v}}, '{word}') THEN {forms}[1 + ({{h}} % 6)::INTEGER] || substr({{v}}, {len(word) + 1})"
    for word, forms in _SHORT
)
_OLD = [("u", "oe"), ("j", "dj"), ("c", "tj"), ("sy", "sj"), ("y", "j"), ("f", "p"), ("i", "ie"), ("a", "ah")]
_OLD_SPELLING = " ".join(
    f"WHEN regexp_matches({{v}}, '[^ ]{new}') THEN regexp_replace({{v}}, '([^ ]){new}', '\\1{old}')"
    for new, old in _OLD
)
_WORDS = "contains(a.nama, ' ')"

KINDS = (
    *(Kind(f"nik_{name}", "nik", text) for name, text in NUMBERS.items()),
    Kind("nik_orang_lain", "nik", "coalesce(borrowed, {v})"),
    Kind("nik_tanpa_40", "nik", "left({v}, 6) || lpad((substr({v}, 7, 2)::INTEGER - 40)::VARCHAR, 2, '0') "
         "|| substr({v}, 9)", "a.jenis_kelamin = 2"),
    *(Kind(f"kk_{name}", "kk", text) for name, text in NUMBERS.items()),
    Kind("nama_gelar", "nama", f"CASE WHEN {{h}} % 5 = 0 THEN {{v}} || {_DEGREES}[1 + (({{h}} >> 4) % 6)::INTEGER] "
         f"WHEN a.jenis_kelamin = 2 THEN {_TITLES_FEMALE}[1 + (({{h}} >> 4) % 6)::INTEGER] || {{v}} "
         f"ELSE {_TITLES_MALE}[1 + (({{h}} >> 4) % 6)::INTEGER] || {{v}} END", "a.tanggal_lahir < DATE '2001-01-01'"),
    Kind("nama_singkatan", "nama",
         f"CASE {_SHORTENED} ELSE regexp_replace({{v}}, ' ([^ ])[^ ]*$', ' \\1.') END", _WORDS),
    Kind("nama_ejaan_lama", "nama", f"CASE {_OLD_SPELLING} ELSE {{v}} || 'h' END"),
    Kind("nama_kata_tertukar", "nama", "regexp_replace({v}, '^([^ ]+) (.+)$', '\\2 \\1')", _WORDS),
    Kind("nama_salah_ketik", "nama", _TYPO),
    Kind("nama_kata_hilang", "nama", "CASE WHEN {h} % 3 = 0 THEN regexp_replace({v}, '^[^ ]+ ', '') "
         "ELSE regexp_replace({v}, ' [^ ]+$', '') END", _WORDS),
    Kind("nama_kosong", "nama", "''"),
    Kind("lahir_tertukar", "lahir", "make_date(year({v}), day({v}), month({v}))",
         "day(a.tanggal_lahir) <= 12 AND day(a.tanggal_lahir) <> month(a.tanggal_lahir)"),
    Kind("lahir_tahun", "lahir", "({v} + to_years([-1, 1, -2, 2, -3, 10][1 + ({h} % 6)::INTEGER]::INTEGER))::DATE",
         "a.tanggal_lahir < DATE '2010-01-01'"),
    Kind("lahir_awal_tahun", "lahir", "make_date(year({v}), CASE WHEN {h} % 3 = 0 THEN 7 ELSE 1 END, 1)",
         "day(a.tanggal_lahir) > 1"),
    Kind("lahir_satu_angka", "lahir", "({v} + [1, -1, 10, -10][1 + ({h} % 4)::INTEGER]::INTEGER)::DATE",
         "a.tanggal_lahir < DATE '2024-01-01'"),
    Kind("lahir_kosong", "lahir", "NULL::DATE"),
    Kind("jk_salah", "jk", "3 - {v}"),
    # What follows concerns the family, the record or the line and is composed where the file is made.
    Kind("pindah_desa", "tempat"),
    Kind("pindah_kabupaten", "tempat"),
    Kind("kartu_gabung", "keluarga"),
    Kind("kartu_pecah", "keluarga"),
    Kind("rekaman_ganda", "rekaman"),
    Kind("ganda_dukcapil", "rekaman"),
    Kind("meninggal", "rekaman"),
    Kind("isian_bertentangan", "isian"),
    Kind("data_lama", "isian"),
    Kind("isian_tak_dikenal", "isian"),
    Kind("wilayah_lama", "baris"),
    Kind("baris_bergeser", "baris"),
    Kind("baris_patah", "baris"),
    Kind("aksara_latin1", "baris"),
)  # fmt: skip


def damaged(slot: str, value: str, how: str) -> str:
    """SQL: `value` after the damage named in the column ``<slot>_kind``, untouched where that is NULL.

    `how` is a hash of the record.
    """
    cases = " ".join(
        f"WHEN '{kind.code}' THEN {kind.text.replace('{v}', value).replace('{h}', how)}"
        for kind in KINDS
        if kind.slot == slot
    )
    return f"CASE WHEN {slot}_kind IS NULL THEN {value} ELSE CASE {slot}_kind {cases} ELSE {value} END END"
