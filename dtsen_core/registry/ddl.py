"""Table definitions derived from the field dictionary.

Inside, region names are not repeated in every row (they follow from the code), and every region code is a
Kemendagri code. `id_keluarga` and `id_anggota` are internal keys without meaning outside one dataset.
"""

from __future__ import annotations

from dtsen_core.registry.fields import Field, fields

SQL_TYPES = {
    "code": "UTINYINT", "flag": "UTINYINT", "integer": "INTEGER", "number": "DOUBLE",
    "text": "VARCHAR", "date": "DATE", "region": "VARCHAR",
}  # fmt: skip

REGION_NAMES = frozenset(
    name + suffix for name in ("provinsi", "kabupaten_kota", "kecamatan", "kelurahan_desa") for suffix in ("", "_ktp")
)

KEYS = {
    "keluarga": (
        ("id_keluarga", "BIGINT"), ("province", "UTINYINT"), ("regency", "USMALLINT"),
        ("district", "USMALLINT"), ("village", "UINTEGER"), ("urban", "UTINYINT"),
    ),
    "anggota": (("id_anggota", "BIGINT"), ("id_keluarga", "BIGINT")),
}  # fmt: skip

PROVENANCE = {
    "keluarga": (
        ("is_dtks", "BOOLEAN"), ("is_regsosek", "BOOLEAN"), ("is_p3ke", "BOOLEAN"),
        ("attribute_source", "VARCHAR"), ("tanggal_pemutakhiran", "DATE"), ("tanggal_ground_check", "DATE"),
    ),
    "anggota": (),
}  # fmt: skip


def stored_fields(set_name: str) -> tuple[Field, ...]:
    """The delivered fields that are stored: all but the region names."""
    return tuple(f for f in fields(set_name) if f.name not in REGION_NAMES)


def columns(set_name: str) -> tuple[tuple[str, str], ...]:
    """(column, SQL type) of the internal table, keys first, provenance last."""
    body = tuple((f.name, SQL_TYPES[f.type]) for f in stored_fields(set_name))
    return KEYS[set_name] + body + PROVENANCE[set_name]


def create_table(set_name: str, table: str | None = None) -> str:
    """``CREATE TABLE`` for ``keluarga`` or ``anggota``; `table` renames it (an identifier of ours)."""
    body = ",\n  ".join(f'"{name}" {kind}' for name, kind in columns(set_name))
    return f'CREATE TABLE "{table or set_name}" (\n  {body}\n)'
