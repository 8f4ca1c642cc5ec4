"""Damage that a whole family has in a register: where it is looked for, on which card, with whose answers."""

from __future__ import annotations

import duckdb

from dtsen_core.collect.simulate.damage.events import LATER, before
from dtsen_core.collect.simulate.damage.rates import Dice, damage, kind_of

OWN_FAMILY = 500_000_000
"""Added to the family's key where a register keeps part of a family as a family of its own."""
OUTDATED = "CASE WHEN isian_kind = 'data_lama' THEN 1500 + (hash_old % 1500)::INTEGER ELSE 0 END"
"""SQL: days by which an outdated record is older than the family's last update, four to eight years."""


def village_spans(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary table ``village_span(village, first, last, above, below)``: the first and last village of its
    regency, and of its province."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE village_span AS
        SELECT village, min(village) OVER (PARTITION BY kemendagri_regency) AS first,
          max(village) OVER (PARTITION BY kemendagri_regency) AS last,
          min(village) OVER (PARTITION BY kemendagri_province) AS above,
          max(village) OVER (PARTITION BY kemendagri_province) AS below
        FROM village_codes"""
    )


def family_form(con: duckdb.DuckDBPyConnection, register: str, seed: int) -> None:
    """Temporary table ``family_form``, one row per simulated family, as `register` has it (after `events`):

    ``seen_village`` and ``tempat_kind``; `record_day`, the day of its record; ``keluarga_kind`` where that is before
    the family's event, with the `host` family and its `host_card` on whose record it stands (*kartu_gabung*) or the
    card of its second part and the `part_head` (*kartu_pecah*); ``isian_kind`` and the `partner` whose answers stand
    for its own, with the groups of variables that `differs` (bits); `coarse` (merged code lists) and `old_codes`;
    `shown_size`, the members written on the record it stands on, which a merged card enlarges and a split one makes
    smaller, and `part_size`, those of the second part.
    """
    rates = damage()[register]
    dice = Dice(seed, register, "k.id_keluarga")
    where, stayed = "hash_where", "k.village"
    rule = damage()["contradiction"]
    differs = " + ".join(f"CASE WHEN {dice.below(f'group {n}', rule['share'])} THEN {1 << n} ELSE 0 END"
                         for n in range(len(rule["groups"])))  # fmt: skip
    target = f"""CASE tempat_kind
        WHEN 'pindah_desa' THEN s.first + ({stayed} - s.first + 1 + ({where} % greatest(s.last - s.first, 1)))
          % (s.last - s.first + 1)
        WHEN 'pindah_kabupaten' THEN CASE WHEN {where} % 10 < 7 THEN s.above + ({where} >> 8) % (s.below - s.above + 1)
          ELSE ({where} >> 8) % (SELECT count(*) FROM village_span) END
        ELSE {stayed} END"""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE family_form AS
        WITH rolled AS (
          SELECT k.id_keluarga, k.village, k.regency, k.jumlah_anggota_keluarga AS size,
            k.tanggal_pemutakhiran AS told, coalesce(m.others, 0) AS others,
            {dice.roll("tempat")} AS tempat_roll, {dice.roll("isian")} AS isian_roll,
            {dice.number("old")} AS hash_old, {dice.number("where")} AS hash_where,
            (k.id_keluarga + 3 + ({dice.number("partner")} % 40)::BIGINT)
              % (SELECT count(*) FROM sim_keluarga) AS partner,
            {Dice(seed, register, "k.regency").below("coarse", rates.get("coarse_regencies", 0))} AS coarse,
            {dice.below("old", rates.get("old_regions", 0))} AS old_codes
          FROM sim_keluarga k LEFT JOIN (
            SELECT id_keluarga, count(*) AS others FROM sim_anggota a WHERE {LATER} GROUP BY id_keluarga
          ) m USING (id_keluarga)
        ), drawn AS MATERIALIZED (
          SELECT *, {kind_of("tempat", rates.get("tempat", {}), "tempat_roll")} AS tempat_kind,
            {kind_of("isian", rates.get("isian", {}), "isian_roll")} AS isian_kind,
            told - {OUTDATED} AS day
          FROM rolled
        ), shaped AS MATERIALIZED (
          -- Who stands on another family's card was recorded with it, on its day.
          SELECT d.*, e.host, e.former_card, e.former_head, e.day AS event_day, h.size AS host_size,
            coalesce(h.day, d.day) AS joint_day, {before("e.host", "joint_day")} AS keluarga_kind
          FROM drawn d LEFT JOIN truth_event e ON e.sim_id_keluarga = d.id_keluarga
          LEFT JOIN drawn h ON h.id_keluarga = e.host
        ), hosting AS (
          SELECT host AS id_keluarga, sum(size) AS guests FROM shaped WHERE keluarga_kind = 'kartu_gabung' GROUP BY host
        )
        SELECT k.id_keluarga, ({target})::UINTEGER AS seen_village,
          CASE WHEN {target} <> k.village THEN tempat_kind END AS tempat_kind, keluarga_kind,
          CASE WHEN keluarga_kind = 'kartu_gabung' THEN joint_day WHEN host IS NOT NULL THEN greatest(day, event_day)
            ELSE day END::DATE AS record_day,
          CASE WHEN keluarga_kind = 'kartu_gabung' THEN host END AS host,
          CASE WHEN keluarga_kind IS NOT NULL THEN former_card END AS host_card,
          CASE WHEN keluarga_kind IS NOT NULL THEN former_head END AS part_head,
          CASE keluarga_kind WHEN 'kartu_gabung' THEN host_size + size WHEN 'kartu_pecah' THEN size - others
            ELSE size + coalesce(guests, 0) END AS shown_size,
          others AS part_size,
          isian_kind, CASE WHEN isian_kind IS NOT NULL THEN partner END AS partner,
          CASE WHEN isian_kind IS NULL OR partner NOT IN (SELECT id_keluarga FROM sim_keluarga) THEN 0
            ELSE {differs} END AS differs, coarse, old_codes
        FROM shaped k JOIN village_span s USING (village) LEFT JOIN hosting USING (id_keluarga)"""
    )


def apart() -> str:
    """SQL condition: this person (``a``) is in the part of the family that the register keeps as its own family."""
    return f"(o.keluarga_kind IS NOT DISTINCT FROM 'kartu_pecah' AND {LATER} AND a.lived)"


def group_of(variable: str) -> int | None:
    """Number of the group of answers that differ together, None for variables that never contradict."""
    groups = damage()["contradiction"]["groups"]
    return next((number for number, group in enumerate(groups) if variable in group), None)


def group_differs(variable: str) -> str:
    """SQL condition: this family's answer to `variable` (alias ``o`` for its form) is another family's."""
    number = group_of(variable)
    return "false" if number is None else f"(o.differs & {1 << number}) > 0"
