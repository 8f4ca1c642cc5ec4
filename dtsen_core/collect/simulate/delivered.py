"""Write a dataset in the delivered DTSEN layout (52 + 48 columns), for trying out the real-data path.

Simulated people in the form of a delivery stay simulated: the files are for trials and tests.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dtsen_core.collect.simulate import places_sql
from dtsen_core.collect.simulate.files import write_lines
from dtsen_core.errors import UserError
from dtsen_core.regions import units
from dtsen_core.registry.fields import Field, fields

FILES = {"keluarga": "dtsen_keluarga.txt", "anggota": "dtsen_anggota.txt"}
DELIMITER = "|"
ENCODING = "latin-1"


def write_delivered(
    con: duckdb.DuckDBPyConnection,
    out_dir: Path | str,
    codes: str = "bps",
    region: str | None = None,
    *,
    keluarga: str = "keluarga",
    anggota: str = "anggota",
) -> dict[str, Path]:
    """Write ``dtsen_keluarga.txt`` and ``dtsen_anggota.txt`` (pipe, Latin-1) from `keluarga`, `anggota`.

    `codes`: the system of the residence codes, ``bps`` (as in deliveries) or ``kemendagri``; addresses on
    identity cards always carry Kemendagri codes. `region`: only families of this unit (Kemendagri code of a
    province, regency or district). Returns set → path. UserError: unknown system or region, unwritable folder.
    """
    if codes not in places_sql.SYSTEMS:
        raise UserError("errors_regions.codes_option", value=codes)
    inside = units.require(region) if region is not None else ""
    out = Path(out_dir)
    places_sql.register(con)
    chosen = f"starts_with(k.kode_kelurahan_desa, '{inside}')"
    sources = {
        "keluarga": f"""FROM {keluarga} k JOIN village_codes v USING (village)
          WHERE {chosen} ORDER BY k.id_keluarga""",
        "anggota": f"""FROM {anggota} a JOIN {keluarga} k USING (id_keluarga)
          LEFT JOIN village_codes v ON v.kemendagri_village = a.kode_kelurahan_desa_ktp
          WHERE {chosen} ORDER BY a.id_anggota""",
    }
    written = {}
    for set_name, source in sources.items():
        alias, system = ("k", codes) if set_name == "keluarga" else ("a", "kemendagri")
        listed = fields(set_name)
        parts = ", ".join(f"coalesce({_text(f, alias, system)}, '')" for f in listed)
        header = DELIMITER.join(f.name for f in listed)
        written[set_name] = out / FILES[set_name]
        lines = f"SELECT concat_ws('{DELIMITER}', {parts}) AS line {source}"
        write_lines(con, lines, written[set_name], header, ENCODING)
    con.execute("DROP TABLE village_codes")
    return written


def _text(field: Field, alias: str, system: str) -> str:
    """SQL text of one field as delivered."""
    place = places_sql.expression(field.name.removesuffix("_ktp"), system)
    if place is not None:
        return place
    value = f"{alias}.{field.name}"
    if field.type == "date":
        return f"strftime({value}, '%Y-%m-%d')"
    if field.type == "number":
        return f"CASE WHEN {value} = floor({value}) THEN {value}::BIGINT::VARCHAR ELSE {value}::VARCHAR END"
    if field.type == "text":
        return f"replace({value}, '{DELIMITER}', ' ')"
    return f"{value}::VARCHAR"
