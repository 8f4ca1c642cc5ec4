"""What happens to families: two cards become one, or one becomes two; and how the civil register has it.

An event happens to a family once, on a day. Whoever recorded the family before shows the earlier state; the civil
register shows the later one, except for the share of the events of which it has not been told.
"""

from __future__ import annotations

import duckdb

from dtsen_core.collect.simulate.damage.rates import Dice, damage

LATER = "a.status_hubungan_keluarga > 2"
"""SQL condition: neither head nor spouse, one of those who stood on the second card of a family joined since."""
FORMER_SERIAL = 7000
"""Serials of the cards given up when two became one, beyond what the numbering of the living reaches."""


def family_events(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Table ``truth_event``, one row per family to which something happened: ``sim_id_keluarga, kind, day``, whether
    the civil register is `stale`, and how it was before.

    *joined*: everyone but the couple had a card of their own, `former_card`, with `former_head` as its head.
    *split*: the family stood on the card `former_card` of the family `host`; of the host's row both are NULL.
    """
    rule = damage()["events"]
    dice = Dice(seed, "events", "k.id_keluarga")
    days = (rule["until"] - rule["since"]).days + 1
    con.execute(
        f"""CREATE OR REPLACE TABLE truth_event AS
        WITH further AS (
          SELECT id_keluarga, min_by(id_anggota, (tanggal_lahir, id_anggota)) AS eldest, min(tanggal_lahir) AS born
          FROM sim_anggota a WHERE {LATER} GROUP BY id_keluarga
        ), drawn AS (
          SELECT k.id_keluarga, k.district, k.nomor_kartu_keluarga AS card, f.eldest,
            (DATE '{rule["since"]}' + ({dice.number("day")} % {days})::INTEGER)::DATE AS day,
            {dice.below("stale", rule["stale"])} AS stale,
            CASE WHEN {dice.below("split", rule["split"])} THEN 'split'
              WHEN {dice.below("joined", rule["joined"])} AND f.born <= day - INTERVAL {rule["of_age"]} YEAR
              THEN 'joined' END AS roll
          FROM sim_keluarga k LEFT JOIN further f USING (id_keluarga)
        ), beside AS (
          SELECT *, lag(id_keluarga) OVER w AS before, lag(card) OVER w AS card_before, lag(roll) OVER w AS roll_before,
            lag(day) OVER w AS day_before, lag(stale) OVER w AS stale_before, lead(id_keluarga) OVER w AS after,
            lead(roll) OVER w AS roll_after
          FROM drawn WINDOW w AS (PARTITION BY district ORDER BY id_keluarga)
        )
        SELECT id_keluarga AS sim_id_keluarga, roll AS kind, day, stale, NULL::BIGINT AS host,
          left(card, 12) || ({FORMER_SERIAL} + row_number() OVER (PARTITION BY left(card, 12) ORDER BY id_keluarga))
            ::VARCHAR AS former_card, eldest AS former_head
        FROM beside WHERE roll = 'joined'
        UNION ALL
        SELECT id_keluarga, 'split', day_before, stale_before, before, card_before, NULL
        FROM beside WHERE roll IS NULL AND roll_before = 'split'
        UNION ALL
        SELECT id_keluarga, 'split', day, stale, NULL, NULL, NULL
        FROM beside WHERE roll = 'split' AND after IS NOT NULL AND roll_after IS NULL
        ORDER BY 1"""
    )


def before(host: str, day: str) -> str:
    """SQL: how a record of that `day` keeps a family with an event (alias ``e``, as in ``truth_event``) and this
    `host`: *kartu_gabung*, on its host's card; *kartu_pecah*, on two cards; or NULL, as it is today."""
    return f"""CASE WHEN e.former_card IS NULL OR {day} >= e.day THEN NULL
      WHEN {host} IS NULL THEN 'kartu_pecah' ELSE 'kartu_gabung' END"""


def civil_form(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Temporary table ``family_form`` as the civil register has the families: `keluarga_kind`, `host_card` and
    `part_head` as in `families.family_form`, and `changed`, the day on which the card last changed."""
    dice = Dice(seed, "dukcapil", "b.id_keluarga")
    # A card is at least as new as its number, which carries the day of issue.
    issued = "try_strptime(substr(b.nomor_kartu_keluarga, 7, 6), '%d%m%y')::DATE"
    drawn = f"greatest({issued}, DATE '2012-01-01' + ({dice.number('changed')} % 4800)::INTEGER)"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE family_form AS
        SELECT k.id_keluarga, e.former_card AS host_card, e.former_head AS part_head,
          CASE WHEN e.stale THEN {before("e.host", "e.day - 1")} END AS keluarga_kind,
          CASE WHEN e.day IS NULL THEN {drawn} WHEN e.stale THEN least({drawn}, e.day - 1)
            ELSE greatest({drawn}, e.day) END::DATE AS changed
        FROM sim_keluarga k LEFT JOIN truth_event e ON e.sim_id_keluarga = k.id_keluarga
        JOIN sim_keluarga b ON b.id_keluarga = coalesce(e.host, k.id_keluarga)"""
    )
