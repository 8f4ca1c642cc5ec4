"""Kinds of columns and how their values are made comparable, as SQL expressions over text.

Everything a file can do to a value without changing what it says is undone here: case, accents, punctuation,
titles, blanks, "nan", decimals that a spreadsheet added to whole numbers, the many ways to write a date.
"""

from __future__ import annotations

import re

KINDS = (
    "given_name", "surname", "full_name", "birth_date", "sex", "place", "postcode", "address", "code", "text",
)  # fmt: skip
"""The kinds a column may be declared as."""

NAMES = frozenset({"given_name", "surname", "full_name"})
WORDED = frozenset({"address", "text"})
"""Kinds compared word by word, rare words counting for more."""
PARTED = frozenset({"full_name", "birth_date"})
"""Kinds whose values have two parts of their own: first and last word, year and day."""
EMPTY = ("", "NAN", "NONE", "NULL", "N/A", "<NA>", "NAT", "-", "--", "?", "UNKNOWN", "NIL", "#N/A")
TITLES = "MR|MRS|MS|MISS|MADAM|DR|DRS|DRA|PROF|SIR|REV|FR|HAJI|HJ|IR"
SUFFIXES = "JR|SR|II|III|IV|PHD|MD|ESQ"
MALE = ("M", "MALE", "MAN", "L", "LAKI", "LAKILAKI", "PRIA", "H", "HOMME", "MANN", "MANNLICH", "BOY")
FEMALE = ("F", "FEMALE", "WOMAN", "P", "PEREMPUAN", "W", "WANITA", "FEMME", "FRAU", "WEIBLICH", "GIRL")
STREET_WORDS = {
    "STREET": "ST", "STR": "ST", "STRASSE": "ST", "ROAD": "RD", "AVENUE": "AVE", "AV": "AVE", "PLACE": "PL",
    "DRIVE": "DR", "COURT": "CT", "CRESCENT": "CR", "CRES": "CR", "CIRCUIT": "CCT", "BOULEVARD": "BLVD",
    "LANE": "LN", "TERRACE": "TCE", "CLOSE": "CL", "HIGHWAY": "HWY", "SQUARE": "SQ", "PARKWAY": "PKWY",
    "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W", "JALAN": "JL", "JLN": "JL", "GANG": "GG",
    "APARTMENT": "APT", "NOMOR": "NO", "SAINT": "ST", "MOUNT": "MT", "BLV": "BLVD", "BOUL": "BLVD",
    "FIRST": "1ST", "SECOND": "2ND", "THIRD": "3RD", "FOURTH": "4TH", "FIFTH": "5TH", "SIXTH": "6TH",
    "SEVENTH": "7TH", "EIGHTH": "8TH", "NINTH": "9TH", "TENTH": "10TH",
}  # fmt: skip
MONTHS = {
    "JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "MEI": 5, "MAI": 5, "JUN": 6, "JUL": 7, "AUG": 8,
    "AGU": 8, "AGS": 8, "SEP": 9, "OCT": 10, "OKT": 10, "NOV": 11, "NOP": 11, "DEC": 12, "DES": 12, "DEZ": 12,
}  # fmt: skip
ODD_LETTERS = {"ß": "SS", "ẞ": "SS", "Ø": "O", "Æ": "AE", "Œ": "OE", "Ł": "L", "Đ": "D", "Þ": "TH", "Ð": "D"}


def quoted(words: tuple[str, ...]) -> str:
    """The words as a list of SQL literals."""
    return ", ".join(f"'{word}'" for word in words)


def plain(column: str) -> str:
    """Upper case without accents or outer blanks; 4011.0 becomes 4011."""
    text = f"upper(trim({column}))"
    for letter, plain_letters in ODD_LETTERS.items():
        text = f"replace({text}, '{letter}', '{plain_letters}')"
    return f"regexp_replace(strip_accents({text}), '^(-?[0-9]+)[.]0+$', '\\1')"


def told(column: str) -> str:
    """A plain text, NULL where it is one of the words for "nothing"."""
    return f"CASE WHEN {column} NOT IN ({quoted(EMPTY)}) THEN {column} END"


def words(text: str) -> str:
    """Letters and digits with single blanks between words; apostrophes join, other signs part."""
    joined = f"regexp_replace({text}, '[''`’´]', '', 'g')"
    return f"trim(regexp_replace({joined}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"


def _name(text: str) -> str:
    bare = words(text)
    bare = f"regexp_replace({bare}, '^((?:{TITLES}) )+', '')"
    return f"trim(regexp_replace({bare}, '( (?:{SUFFIXES}))+$', ''))"


def _address(text: str) -> str:
    short = ", ".join(f"'{long}': '{brief}'" for long, brief in STREET_WORDS.items())
    tokens = f"list_transform(string_split({words(text)}, ' '), lambda w: coalesce(MAP {{{short}}}[w], w))"
    return f"array_to_string({tokens}, ' ')"


def _alphanumeric(text: str) -> str:
    bare = f"regexp_replace({text}, '[^\\p{{L}}\\p{{N}}]+', '', 'g')"
    return f"regexp_replace({bare}, '^0+([^0]|0$)', '\\1')"


def _sex(text: str) -> str:
    bare = f"regexp_replace({text}, '[^\\p{{L}}\\p{{N}}]+', '', 'g')"
    return f"CASE WHEN {bare} IN ({quoted(MALE)}) THEN 'M' WHEN {bare} IN ({quoted(FEMALE)}) THEN 'F' ELSE {bare} END"


def _text(text: str) -> str:
    return f"trim(regexp_replace(regexp_replace({text}, '[''`’´\"]', '', 'g'), '[^\\p{{L}}\\p{{N}}@.]+', ' ', 'g'))"


def _year(digits: str) -> str:
    """Two digits become four: up to 29 is this century."""
    century = f"CASE WHEN {digits} <= '29' THEN '20' ELSE '19' END"
    return f"CASE WHEN length({digits}) = 2 THEN ({century}) || {digits} ELSE {digits} END"


def birth_date(text: str, month_first: bool) -> str:
    """YYYYMMDD where the value says a date in any usual order, otherwise its digits.

    `month_first` tells 03/04/1960 apart; decided per column by `MONTH_FIRST`. A year alone stays four digits.
    """
    iso = "'^([12][0-9]{3})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})(?:[T ].*)?$'"
    parted = "'^([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{2}|[0-9]{4})(?:[T ].*)?$'"
    named = "'^([0-9]{1,2})[-/. ]*([A-Z]{3})[A-Z]*[-/., ]*([0-9]{2}|[0-9]{4})$'"
    american = "'^([A-Z]{3})[A-Z]*[. ]*([0-9]{1,2})[, ]+([0-9]{4})$'"
    month, day = (1, 2) if month_first else (2, 1)
    numbers = ", ".join(f"'{name}': '{number:02d}'" for name, number in MONTHS.items())

    def part(pattern: str, group: int) -> str:
        return f"regexp_extract({text}, {pattern}, {group})"

    def two(value: str) -> str:
        return f"lpad({value}, 2, '0')"

    def named_month(value: str) -> str:
        return f"coalesce(MAP {{{numbers}}}[{value}], '00')"

    digits = f"regexp_replace({text}, '[^0-9]', '', 'g')"
    tail = f"right({digits}, 4)"
    return f"""CASE
      WHEN regexp_matches({text}, {iso}) THEN {part(iso, 1)} || {two(part(iso, 2))} || {two(part(iso, 3))}
      WHEN regexp_matches({text}, {parted}) THEN ({_year(part(parted, 3))}) || {two(part(parted, month))}
        || {two(part(parted, day))}
      WHEN regexp_matches({text}, {named}) THEN ({_year(part(named, 3))}) || {named_month(part(named, 2))}
        || {two(part(named, 1))}
      WHEN regexp_matches({text}, {american}) THEN {part(american, 3)} || {named_month(part(american, 1))}
        || {two(part(american, 2))}
      WHEN length({digits}) = 7 AND {tail} BETWEEN '1850' AND '2099'
        THEN {tail} || substr({digits}, 2, 2) || '0' || left({digits}, 1)
      WHEN length({digits}) = 8 AND left({digits}, 4) NOT BETWEEN '1700' AND '2099' AND {tail} BETWEEN '1850' AND '2099'
        THEN {tail} || substr({digits}, {3 if not month_first else 1}, 2) || substr({digits},
          {1 if not month_first else 3}, 2)
      ELSE {digits} END"""


MONTH_FIRST = """
SELECT count(*) FILTER (WHERE second > 12 AND first <= 12) > count(*) FILTER (WHERE first > 12 AND second <= 12)
FROM (SELECT try_cast(regexp_extract(v, '^([0-9]{{1,2}})[-/. ]([0-9]{{1,2}})[-/. ][0-9]{{2,4}}', 1) AS INTEGER) AS
  first,
  try_cast(regexp_extract(v, '^([0-9]{{1,2}})[-/. ]([0-9]{{1,2}})[-/. ][0-9]{{2,4}}', 2) AS INTEGER) AS second
  FROM (SELECT {column} AS v FROM {table}))"""
"""One boolean: dates of `column` in `table` are written month first."""


def normalised(kind: str, text: str, *, month_first: bool = False) -> str:
    """SQL expression: the plain (see `plain`) text of `kind` in its comparable form; empty if it says nothing."""
    if kind in NAMES:
        return _name(text)
    if kind in ("place", "address"):
        return _address(text)
    if kind in ("postcode", "code"):
        return _alphanumeric(text)
    if kind == "sex":
        return _sex(text)
    if kind == "birth_date":
        return birth_date(text, month_first)
    return _text(text)


def phonetic(text: str) -> str:
    """Sounds-alike code in the manner of Soundex: a letter and up to three digits; other scripts: four letters."""
    letters = f"regexp_replace({text}, '[^\\p{{L}}]', '', 'g')"
    letters = f"regexp_replace(regexp_replace({letters}, 'PH', 'F', 'g'), '^(KN|GN)', 'N')"
    first = f"translate(left({letters}, 1), 'CQVWJ', 'KKFFY')"
    rest = f"regexp_replace(substr({letters}, 2), '[AEIOUHWY]', '', 'g')"
    rest = f"translate({rest}, 'BFPVCGJKQSXZDTLMNR', '111122222222334556')"
    for digit in re.findall(".", "123456"):
        rest = f"regexp_replace({rest}, '{digit}+', '{digit}', 'g')"
    return f"nullif({first} || left({rest}, 3), '')"


def helpers(kind: str, column: str) -> dict[str, str]:
    """Further columns that comparing `column` needs, name → SQL: solid or sorted text (_s), words (_t), the first
    whole number (_n; that of a house, as a rule), the two parts of a whole (see `PARTED`)."""
    if kind in WORDED:
        number = "(?:^| )([0-9]+[A-Z]?)(?: |$)"
        return {
            f"{column}_s": f"replace({column}, ' ', '')",
            f"{column}_t": f"list_distinct(string_split({column}, ' '))",
            f"{column}_n": f"nullif(regexp_extract({column}, '{number}', 1), '')",
        }
    if kind == "full_name":
        tokens = f"string_split({column}, ' ')"
        several = f"CASE WHEN contains({column}, ' ') THEN {tokens}"
        return {
            f"{column}_s": f"array_to_string(list_sort({tokens}), ' ')",
            f"{column}_t": f"list_distinct({tokens})",
            f"{column}_a": f"{several}[1] END",
            f"{column}_z": f"{several}[-1] END",
        }
    if kind == "birth_date":
        whole = f"CASE WHEN length({column}) = 8 THEN"
        return {f"{column}_a": f"{whole} left({column}, 4) END", f"{column}_z": f"{whole} right({column}, 4) END"}
    return {}
