"""A real survey (Susenas) becomes table ``survey``: expenditure, weight, PSU, stratum, place and 39 indicators.

The layout is data (``data/rules/sources/survey_susenas.toml``). Every problem of a file is found before anything
is written, and all are shown together: a survey with wrong lines would give a wrong model, so none is set aside.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from dtsen_core import locale
from dtsen_core.collect.layouts import plain
from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.regions import codes as region_codes
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS

KIND = "susenas"
SHOWN = 40  # problems written out; the rest is counted
Problem = tuple[str, dict[str, object]]

NUMBERS = {
    "expenditure": "try_cast({c} AS DOUBLE) > 0 AND try_cast({c} AS DOUBLE) < {most}",
    "weight": "try_cast({c} AS DOUBLE) > 0 AND isfinite(try_cast({c} AS DOUBLE))",
    "household_size": "try_cast({c} AS INTEGER) BETWEEN 1 AND 40",
    "psu": "trim({c}) <> ''",
    "stratum": "trim({c}) <> ''",
    "urban": "coalesce(lower(trim({c})), '') IN ('', '1', '2', 'perkotaan', 'perdesaan', 'urban', 'rural')",
}
URBAN = """CASE WHEN lower(trim(urban)) IN ('1', 'perkotaan', 'urban') THEN 1
  WHEN lower(trim(urban)) IN ('2', 'perdesaan', 'rural') THEN 2 ELSE 0 END"""


class SurveyProblems(UserError):
    """Every problem found in one survey file; `problems` are (key, params) of errors_survey sentences."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        super().__init__("errors_survey.problems", path=path, count=len(problems))
        self.problems = problems

    def message(self, lang: str = "id") -> str:
        lines = []
        for key, params in self.problems[:SHOWN]:
            said = {k: v.message(lang) if isinstance(v, UserError) else v for k, v in params.items()}
            lines.append(locale.text(f"errors_survey.{key}", lang, **said))
        if len(self.problems) > SHOWN:
            lines.append(locale.text("errors_survey.and_more", lang, count=len(self.problems) - SHOWN))
        return super().message(lang) + "\n" + "\n".join(f"- {line}" for line in lines)


@lru_cache(maxsize=1)
def layout() -> dict[str, Any]:
    """The declared layout of the file."""
    return tomllib.loads((RULES / "sources" / "survey_susenas.toml").read_text(encoding="utf-8"))


def write(con: duckdb.DuckDBPyConnection, files: Sequence[tuple[Path, str | None]]) -> list[dict[str, Any]]:
    """Write table ``survey`` from `files` (path, code system or None) and return the account of each in lines.

    Columns of ``survey``: household, province, regency, urban (0 unknown, 1, 2), psu, stratum, weight,
    household_size, expenditure (Rp per person per month) and the 39 indicators.

    Raises
    ------
    SurveyProblems
        listing all problems of the first file that has any.
    """
    con.execute("DROP TABLE IF EXISTS survey")
    accounts = []
    for number, (path, system) in enumerate(files):
        _load(con, path)
        names = _columns(con, path)
        problems = _value_problems(con, names)
        mapped, more = _places(con, names, system)
        problems += more
        if problems:
            raise SurveyProblems(path.name, problems)
        counted = con.execute("SELECT count(*) FROM survey_raw").fetchall()[0][0]
        _append(con, names, mapped, fresh=number == 0)
        lines = sum(1 for _ in path.open("rb"))
        accounts.append({"path": str(path), "source": KIND, "read": lines, "header": 1, "blank": lines - 1 - counted,
                         "accepted": int(counted), "quarantined": 0, "reasons": {}})  # fmt: skip
    con.execute("DROP TABLE IF EXISTS survey_raw")
    _enough(con, files[-1][0].name)
    return accounts


def _load(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Table ``survey_raw``: every cell as text, with the line it stands in."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
    except (OSError, UnicodeDecodeError) as problem:
        raise SurveyProblems(path.name, [("unreadable", {})]) from problem
    delimiter = max(layout()["delimiters"], key=first.count)
    try:
        con.execute(
            """CREATE OR REPLACE TEMP TABLE survey_raw AS SELECT row_number() OVER () + 1 AS line_, * FROM
            read_csv(?, delim = ?, header = true, all_varchar = true, strict_mode = false, null_padding = true)""",
            [str(path), delimiter],
        )
    except duckdb.Error as problem:
        raise SurveyProblems(path.name, [("unreadable", {})]) from problem


def _columns(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Variable → quoted column of ``survey_raw``; SurveyProblems for every missing, doubtful or repeated one."""
    given = [row[0] for row in con.execute("DESCRIBE survey_raw").fetchall() if row[0] != "line_"]
    wanted = {c["name"]: {plain(c["name"]), *map(plain, c["aliases"])} for c in layout()["column"]}
    wanted |= {i.name: {i.name} for i in INDICATORS}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for column in given:
        for name, spellings in wanted.items():
            if plain(column) in spellings:
                if name in found:
                    problems.append(("twice", {"column": name}))
                found[name] = '"' + column.replace('"', '""') + '"'
    missing = {c["name"]: c["meaning"] for c in layout()["column"] if not c.get("optional") and c["name"] not in found}
    problems += [("missing_column", {"column": k, "meaning": v}) for k, v in missing.items()]
    problems += [("missing_indicator", {"column": i.name}) for i in INDICATORS if i.name not in found]
    absent = [name for name in wanted if name not in found]
    for column in given:
        near = difflib.get_close_matches(plain(column), absent, n=1, cutoff=0.8)
        if near and plain(column) not in {s for spellings in wanted.values() for s in spellings}:
            problems.append(("near_column", {"given": column[:40], "near": near[0]}))
    if problems:
        raise SurveyProblems(path.name, problems)
    return found


def _value_problems(con: duckdb.DuckDBPyConnection, names: dict[str, str]) -> list[Problem]:
    """Columns with values that cannot be used: how many lines, and the first."""
    problems: list[Problem] = []
    meanings = {c["name"]: c["meaning"] for c in layout()["column"]}
    for name, rule in NUMBERS.items():
        column = names[name]
        test = rule.format(c=column, most=layout()["most_expenditure"])
        bad = _first_bad(con, column, f"NOT coalesce({test}, false)")
        if bad:
            problems.append(("bad_value", {"column": name, "meaning": meanings[name], **bad}))
    for indicator in INDICATORS:
        known = _spellings(indicator.name)
        con.register("known_category", pa.table({"text": list(known)}))
        column = names[indicator.name]
        bad = _first_bad(con, column, f"lower(trim(coalesce({column}, ''))) NOT IN (SELECT text FROM known_category)")
        con.unregister("known_category")
        if bad:
            listed = ", ".join(c.value for c in indicator.categories if c.code)
            problems.append(("bad_category", {"column": indicator.name, "known": listed, **bad}))
    return problems


def _first_bad(con: duckdb.DuckDBPyConnection, column: str, test: str) -> dict[str, object]:
    found = con.execute(
        f"SELECT count(*), min(line_), arg_min(coalesce({column}, ''), line_) FROM survey_raw WHERE {test}"
    ).fetchall()[0]
    return {"count": found[0], "line": found[1], "value": str(found[2])[:40]} if found[0] else {}


@lru_cache(maxsize=64)
def _spellings(name: str) -> dict[str, int]:
    """Spelling in lower case → category code: value first, then both labels; empty is unknown."""
    indicator = next(i for i in INDICATORS if i.name == name)
    known: dict[str, int] = {"": 0}
    for spelling in ("value", "label_id", "label_en"):
        for category in indicator.categories:
            known.setdefault(str(getattr(category, spelling)).strip().lower(), category.code)
    return known


def _places(
    con: duckdb.DuckDBPyConnection, names: dict[str, str], system: str | None
) -> tuple[dict[str, int], list[Problem]]:
    """(delivered regency code → regency idx, problems)."""
    code, named = names["regency_code"], names.get("regency_name", "NULL")
    frame = con.execute(
        f"""SELECT replace(trim({code}), '.', '') AS code, any_value({named}) AS name, count(*) AS rows,
        min(line_) AS line FROM survey_raw GROUP BY 1 ORDER BY line"""
    ).df()
    frame["code"] = frame["code"].fillna("")
    chosen = system
    if "regency_name" in names:
        try:
            chosen = region_codes.detect_system(frame[["code", "name", "rows"]], confirm=system).system
        except UserError as problem:
            return {}, [("codes_contradict", {"problem": problem})]
    if chosen is None:
        return {}, [("codes_unknown", {})]
    mapped = region_codes.map_regencies(frame[["code", "name"]], chosen)
    index = units.index("regency")
    inside = [index.get(str(found)) if pd.notna(found) else None for found in mapped["kemendagri"]]
    lost = frame[[place is None for place in inside]]
    if len(lost):
        first = lost.iloc[0]
        return {}, [("bad_regency", {"count": int(lost["rows"].sum()), "line": int(first["line"]),
                                     "value": str(first["code"])[:20]})]  # fmt: skip
    return dict(zip(frame["code"], (int(place) for place in inside if place is not None))), []


def _append(con: duckdb.DuckDBPyConnection, names: dict[str, str], mapped: dict[str, int], *, fresh: bool) -> None:
    province = units.table("regency")["parent_code"].map(units.index("province"))
    con.register("survey_place", pa.table({
        "code": list(mapped), "regency": pa.array(list(mapped.values()), pa.uint16()),
        "province": pa.array([int(province.iloc[place]) for place in mapped.values()], pa.uint8()),
    }))  # fmt: skip
    coded = ",\n  ".join(
        f"{_case(indicator.name, names[indicator.name])}::UTINYINT AS {indicator.name}" for indicator in INDICATORS
    )
    urban = URBAN.replace("urban))", f"{names['urban']}))")
    start = "0" if fresh else "(SELECT max(household) + 1 FROM survey)"
    units_before = "0" if fresh else "(SELECT max(psu) FROM survey)"
    head = "CREATE TABLE survey AS" if fresh else "INSERT INTO survey"
    con.execute(f"""{head} SELECT
  {start} + row_number() OVER (ORDER BY r.line_) - 1 AS household, p.province, p.regency,
  ({urban})::UTINYINT AS urban,
  ({units_before} + dense_rank() OVER (ORDER BY p.regency, trim({names["psu"]})))::INTEGER AS psu,
  trim({names["stratum"]}) AS stratum, {names["weight"]}::DOUBLE AS weight,
  {names["household_size"]}::INTEGER::UTINYINT AS household_size, {names["expenditure"]}::DOUBLE AS expenditure,
  {coded}
FROM survey_raw AS r JOIN survey_place AS p ON p.code = replace(trim({names["regency_code"]}), '.', '')
ORDER BY household""")
    con.unregister("survey_place")


def _case(name: str, column: str) -> str:
    """The category code of a cell. Spellings are those of our own code lists."""
    parts = " ".join(
        f"WHEN '{spelling.replace(chr(39), chr(39) * 2)}' THEN {code}" for spelling, code in _spellings(name).items()
    )
    return f"CASE lower(trim(coalesce({column}, ''))) {parts} END"


def _enough(con: duckdb.DuckDBPyConnection, path: str) -> None:
    rows, psus = con.execute("SELECT count(*), count(DISTINCT (regency, psu)) FROM survey").fetchall()[0]
    rule = layout()
    if rows < rule["least_households"] or psus < rule["least_psus"]:
        raise SurveyProblems(path, [("too_few", {
            "given": rows, "psus": psus, "households": rule["least_households"], "least_psus": rule["least_psus"],
        })])  # fmt: skip
