"""Indonesian names in one spelling: titles, degrees, abbreviations and old spelling undone (``names.toml``)."""

from __future__ import annotations

import tomllib
from functools import lru_cache

import duckdb

from dtsen_core.integrate.link.kinds import phonetic
from dtsen_core.paths import RULES

DOUBLED = "ABCDEFGHIKLMNOPRSTUYZ"


@lru_cache(maxsize=1)
def rules() -> dict:
    """The rule file as it stands."""
    return tomllib.loads((RULES / "linkage" / "names.toml").read_text(encoding="utf-8"))


def _map(words: dict[str, str]) -> str:
    return "MAP {" + ", ".join(f"'{word}': '{other}'" for word, other in words.items()) + "}"


def _spelled(text: str) -> str:
    for old, new in rules()["spelling"].items():
        text = f"replace({text}, '{old}', '{new}')"
    for letter in DOUBLED:
        text = f"replace({text}, '{letter}{letter}', '{letter}')"
    return text


def write_names(con: duckdb.DuckDBPyConnection, raw: str) -> None:
    """Make ``link_name(raw, key, words, sound)`` of the distinct names in the query `raw` (one column ``raw``).

    `words` are the words in their usual spelling and order, `key` the sorted words as one text, `sound` the
    sounds-alike code of the longest word. Names of which nothing is left have no row.
    """
    given = rules()
    titles = ", ".join(f"'{word}'" for word in given["titles"])
    degrees = ", ".join(f"'{word}'" for word in given["degrees"])
    known = _map(given["words"])
    first = _map(given["first_words"])
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_name AS
        WITH bare AS (
          SELECT raw, upper(strip_accents(regexp_replace(raw, ',.*$', ''))) AS t FROM ({raw}) WHERE raw IS NOT NULL
        ), joined AS (
          -- A degree keeps its letters together (S.Pd), a title does not touch the name (H.Ali).
          SELECT raw, regexp_replace(regexp_replace(t,
            '\\b(S|M|A)[.](PD|AG|SOS|SI|KOM|MD|H|E|T|KM|IP|PSI|HUM|FARM)\\b', '\\1\\2',
            'g'), '[''`’´]', '', 'g') AS t FROM bare
        ), split AS (
          SELECT raw, string_split(trim(regexp_replace(t, '[^\\p{{L}}]+', ' ', 'g')), ' ') AS w FROM joined
        ), titled AS (
          SELECT raw, w, list_filter(w, lambda x, i: x <> '' AND NOT (x IN ({titles}) AND i < len(w))
            AND NOT (x IN ({degrees}) AND i > 1 AND i = len(w))) AS kept FROM split
        ), words AS (
          SELECT raw, CASE WHEN len(kept) > 0 THEN kept ELSE list_filter(w, lambda x: x <> '') END AS w FROM titled
        ), placed AS (
          SELECT raw, unnest(w) AS word, generate_subscripts(w, 1) AS place, len(w) > 1 AS several FROM words
        ), vocabulary AS (
          SELECT word, {_spelled(f"coalesce({known}[word], word)")} AS plain,
            {_spelled(f"coalesce({first}[word], {known}[word], word)")} AS opening
          FROM (SELECT DISTINCT word FROM placed)
        ), told AS (
          SELECT raw, list(CASE WHEN place = 1 AND several THEN opening ELSE plain END ORDER BY place) AS w
          FROM placed JOIN vocabulary USING (word) WHERE word <> '' GROUP BY raw
        ), keyed AS (
          SELECT raw, array_to_string(list_sort(w), ' ') AS key, w,
            list_reduce(w, lambda a, b: CASE WHEN length(b) > length(a) THEN b ELSE a END) AS longest FROM told
        ), sounds AS (SELECT longest, {phonetic("longest")} AS sound FROM (SELECT DISTINCT longest FROM keyed))
        SELECT raw, key, w AS words, sound FROM keyed JOIN sounds USING (longest)"""
    )


LEVEL_MACRO = """
CREATE OR REPLACE TEMP MACRO name_level(key_a, words_a, key_b, words_b) AS CASE
  WHEN key_a IS NULL OR key_b IS NULL THEN NULL
  WHEN key_a = key_b THEN 3
  WHEN length(key_a) >= 5 AND length(key_b) >= 5 AND damerau_levenshtein(key_a, key_b) <= 1 THEN 2
  WHEN length(key_a) >= 9 AND length(key_b) >= 9 AND damerau_levenshtein(key_a, key_b) <= 2 THEN 2
  WHEN replace(array_to_string(words_a, ''), 'H', '') = replace(array_to_string(words_b, ''), 'H', '') THEN 2
  WHEN damerau_levenshtein(array_to_string(words_a, ''), array_to_string(words_b, '')) <= 1 THEN 2
  WHEN list_has_all(words_a, words_b) OR list_has_all(words_b, words_a) THEN 1
  WHEN len(words_a) > 1 AND len(words_a) = len(words_b) AND list_has_any(words_a, words_b)
    AND (list_bool_or(list_transform(words_a, lambda x: length(x) = 1))
      OR list_bool_or(list_transform(words_b, lambda x: length(x) = 1)))
    AND list_sort(list_transform(words_a, lambda x: left(x, 1))) = list_sort(list_transform(words_b, lambda x: left(x,
      1)))
    THEN 2
  WHEN jaro_winkler_similarity(key_a, key_b) >= 0.86
    OR jaro_winkler_similarity(array_to_string(words_a, ' '), array_to_string(words_b, ' ')) >= 0.86 THEN 1
  ELSE 0 END
"""

BIRTH_MACRO = """
CREATE OR REPLACE TEMP MACRO birth_level(a, b) AS CASE
  WHEN a IS NULL OR b IS NULL THEN NULL
  WHEN a = b THEN 2
  WHEN year(a) = year(b) AND month(a) = day(b) AND day(a) = month(b) THEN 1
  WHEN damerau_levenshtein(strftime(a, '%Y%m%d'), strftime(b, '%Y%m%d')) <= 1 THEN 1
  WHEN year(a) = year(b) AND (day(a) = 1 AND month(a) IN (1, 7) OR day(b) = 1 AND month(b) IN (1, 7)) THEN 1
  WHEN abs(date_diff('day', a, b)) <= 10 THEN 1
  WHEN month(a) = month(b) AND day(a) = day(b) AND abs(year(a) - year(b)) <= 10 THEN 1
  ELSE 0 END
"""

NIK_MACRO = """
CREATE OR REPLACE TEMP MACRO nik_near(given, nik) AS (
  length(given) BETWEEN 10 AND 15 AND starts_with(nik, given)
  OR length(given) >= 14 AND damerau_levenshtein(left(given, 18), nik) <= CASE WHEN length(given) > 16 THEN 2 ELSE 1 END
  OR length(given) BETWEEN 12 AND 15 AND left(given, 12) = left(nik, 12)
    AND ltrim(substr(nik, 13), '0') = substr(given, 13))
"""

OPEN_MACRO = """
CREATE OR REPLACE TEMP MACRO number_open(given, nik) AS (
  given IS NULL OR length(given) < 10 OR nik_near(given, nik)
  OR length(given) >= 16 AND (left(given, 12) = left(nik, 12) OR right(given, 10) = right(nik, 10)))
"""
"""The number as delivered does not say that this is somebody else: none, too short, similar, or alike in part."""
