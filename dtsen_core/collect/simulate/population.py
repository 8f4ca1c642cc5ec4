"""The demonstration population: survey first, then the registry's families, province by province.

Both are draws of one process with different random streams; survey households are never rows of the
registry. National thresholds of the indicators come from the survey draw.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dtsen_core.collect.simulate import allocation, dwelling, geography, identity, members, targets, welfare
from dtsen_core.collect.simulate.dwelling import Columns, Place
from dtsen_core.collect.simulate.geography import Geography
from dtsen_core.regions import official
from dtsen_core.registry.indicators import indicator_sql

Floats = NDArray[np.float64]
Progress = Callable[[float], None]
T = TypeVar("T")

SURVEY, REGISTRY = 4, 5  # random streams
CHUNK = 1_000_000  # families drawn at a time: bounds memory in large builds
ZERO_IS_A_VALUE = frozenset(
    {"bahan_bakar_utama_memasak", "luas_lantai", "jumlah_ternak_sapi", "jumlah_ternak_kerbau", "jumlah_ternak_kuda",
     "jumlah_ternak_babi", "jumlah_ternak_kambing_domba"}
)  # fmt: skip


@dataclass
class Recipe:
    """Everything fixed before the first family is drawn. Arrays by regency idx unless named otherwise."""

    seed: int
    as_of: dt.date
    place: Geography
    province_of: NDArray[np.int64]
    headcount: Floats
    families: NDArray[np.int64]
    weight: Floats
    survey_factor: Floats
    gap: float
    level: Floats  # by province: mean log expenditure on the national scale
    factors: Floats
    sanitation: Floats
    water: Floats
    cuts: dict[str, Floats]

    @property
    def total(self) -> int:
        return int(self.families.sum())


def prepare(seed: int, families: int) -> Recipe:
    """Solve the targets and fix the sample; deterministic for (`seed`, `families`).

    UserError when `families` is outside what the simulation can do.
    """
    rule = targets.rules()
    allocation.check(families, rule["largest_families"])
    place = geography.draw(seed)
    regencies, provinces = targets.regency_headcounts(), official.provinces()
    population = regencies["population"].to_numpy(float)
    province_of = geography_province(place)
    counts = allocation.families_per_regency(population, families, rule["minimum_families"])
    figures = official.national()
    registry = figures["registry_families"].value
    weight = registry * population / population.sum() / counts
    persons_per_family = figures["registry_persons"].value / registry
    base = provinces["survey_population_mar2025"].to_numpy(float)
    held = np.bincount(province_of, weights=counts * weight) * persons_per_family
    headcount = regencies["target"].to_numpy(float)
    survey_persons = population * (base / np.bincount(province_of, weights=population))[province_of]
    gap = targets.rural_gap(place.regency_urban_share, headcount, survey_persons,
                            urban=figures["p0_urban_mar2025"].value,
                            rural=figures["p0_rural_mar2025"].value)  # fmt: skip
    laws = [target.law for target in targets.provinces()]
    means = np.array([np.mean(np.log(law.bin_means(np.linspace(0, 1, 2_001)))) for law in laws])
    level = (means - np.average(means, weights=base)) / 0.55
    sanitation, water = dwelling.improved_targets()
    variables = len(dwelling.rules()["ordered"]) + len(dwelling.rules()["assets"]) + 2
    return Recipe(
        seed, dt.date.fromisoformat(rule["as_of"]), place, province_of, headcount, counts, weight,
        (base / held)[province_of], gap, level, dwelling.regional_factors(seed, variables), sanitation, water, {},
    )  # fmt: skip


def geography_province(place: Geography) -> NDArray[np.int64]:
    """Province idx of every regency."""
    found = np.zeros(int(place.regency.max()) + 1, np.int64)
    found[place.regency] = place.province
    return found


def _places(recipe: Recipe, drawn: welfare.Drawn, regency: NDArray, urban: NDArray, persons: Floats) -> Place:
    seen = dwelling.national_scale(recipe.level, recipe.province_of[regency], drawn.seen)
    return Place(regency, urban, seen, drawn.size, persons)


def _arrow(columns: Columns) -> pa.Table:
    """Coded columns for DuckDB; 0 becomes NULL where it means that the question was not asked."""
    return pa.table({
        name: pa.array(values) if name in ZERO_IS_A_VALUE or values.dtype.kind == "f"
        else pa.array(values, mask=values == 0)
        for name, values in columns.items()
    })  # fmt: skip


def _keys(**columns: NDArray) -> list[tuple[str, pa.Array]]:
    return [(name, pa.array(values)) for name, values in columns.items()]


def _with_keys(keys: list[tuple[str, pa.Array]], table: pa.Table) -> pa.Table:
    for position, (name, values) in enumerate(keys):
        table = table.add_column(position, name, values)
    return table


def _people_table(people: members.People, family_id: NDArray, first_person: int) -> pa.Table:
    persons = len(people.family)
    keys = _keys(id_anggota=np.arange(first_person, first_person + persons, dtype=np.int64),
                 id_keluarga=family_id[people.family], age_days=people.age_days)  # fmt: skip
    return _with_keys(keys, _arrow(people.columns))


def draw_survey(con: duckdb.DuckDBPyConnection, recipe: Recipe, households: int, progress: Progress) -> None:
    """Table ``survey``: households of the same process with observed expenditure, in PSUs; sets `recipe.cuts`.

    About equal households in every regency, PSUs chosen in proportion to village size, weights by regency.
    """
    rule = targets.rules()
    regencies = len(recipe.headcount)
    psus = allocation.largest_remainder(
        np.full(regencies, households / rule["psu_size"] / regencies), round(households / rule["psu_size"])
    )
    parts: list[tuple[Place, welfare.Drawn, NDArray, Floats]] = []
    for number, target in enumerate(targets.provinces()):
        rng = np.random.default_rng([recipe.seed, SURVEY, number])
        inside = np.flatnonzero(recipe.place.province == number)
        village = _psu_villages(rng, recipe, inside, psus)
        psu = np.repeat(np.arange(len(village)), rule["psu_size"])
        regency, urban = recipe.place.regency[village][psu], recipe.place.urban[village][psu]
        size_of = np.bincount(regency, minlength=regencies)
        families = recipe.families * recipe.weight * recipe.survey_factor
        weight = (families / np.maximum(size_of, 1))[regency]
        drawn = welfare.draw(rng, target.law, regency, urban, psu, weight, recipe.headcount[regency], recipe.gap)
        parts.append((_places(recipe, drawn, regency, urban, weight * drawn.size), drawn, psu, weight))
        progress(0.3 * (number + 1) / len(targets.provinces()))
    place = Place(*(np.concatenate([getattr(p[0], name) for p in parts])
                    for name in ("regency", "urban", "welfare", "size", "weight")))  # fmt: skip
    rng = np.random.default_rng([recipe.seed, SURVEY, 999])
    recipe.cuts = dwelling.national_cuts(dwelling.latents(rng, place, recipe.factors), place.weight)
    progress(0.4)
    home = dwelling.draw(rng, place, recipe.factors, recipe.cuts, recipe.sanitation, recipe.water)
    people = members.draw(rng, place)
    progress(0.7)
    offsets = np.cumsum([0] + [int(p[2].max()) + 1 for p in parts])
    count = len(place.size)
    household = np.arange(count, dtype=np.int64)
    keys = _keys(
        id_keluarga=household, province=recipe.province_of[place.regency].astype(np.uint8),
        regency=place.regency.astype(np.uint16),
        psu=np.concatenate([p[2] + offsets[n] for n, p in enumerate(parts)]).astype(np.int32),
        urban=place.urban, weight=np.concatenate([p[3] for p in parts]),
        jumlah_anggota_keluarga=place.size.astype(np.int32),
        expenditure=np.concatenate([p[1].expenditure for p in parts]),
    )  # fmt: skip
    con.register("survey_family", _with_keys(keys, _arrow(home)))
    con.register("survey_person", _people_table(people, household, 0))
    con.execute("CREATE TABLE survey_indicator AS " + index_sql(con, "survey_family", "survey_person", recipe.as_of))
    con.execute("""CREATE TABLE survey AS
        SELECT f.id_keluarga AS household, f.province, f.regency, f.psu, f.urban, f.weight,
          CAST(f.jumlah_anggota_keluarga AS UTINYINT) AS household_size, f.expenditure,
          i.* EXCLUDE (id_keluarga)
        FROM survey_family AS f JOIN survey_indicator AS i USING (id_keluarga) ORDER BY household""")
    con.execute("DROP TABLE survey_indicator")
    con.unregister("survey_family")
    con.unregister("survey_person")
    progress(1.0)


def _psu_villages(
    rng: np.random.Generator, recipe: Recipe, inside: NDArray[np.int64], psus: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Village of every PSU of one province: systematic selection in proportion to size, urban and rural in
    turn, so that each regency's strata are represented as they are populated."""
    order = inside[np.lexsort((recipe.place.urban[inside], recipe.place.regency[inside]))]
    regency, size = recipe.place.regency[order], recipe.place.persons[order]
    total = np.bincount(recipe.place.regency, weights=recipe.place.persons)
    step = np.cumsum(size * (psus / total)[regency])
    here = int(psus[np.unique(regency)].sum())
    return order[np.minimum(np.searchsorted(step, np.arange(here) + rng.random()), len(order) - 1)]


def index_sql(con: duckdb.DuckDBPyConnection, families: str, persons: str, as_of: dt.date) -> str:
    """Statement of the 39 indicators of drawn families, the contract's own; makes the view it reads."""
    con.execute(f"""CREATE OR REPLACE TEMP VIEW drawn_person AS
        SELECT *, DATE '{as_of:%Y-%m-%d}' - CAST(age_days AS INTEGER) AS tanggal_lahir FROM {persons}""")
    return indicator_sql(as_of, families, "drawn_person")


def draw_families(recipe: Recipe) -> Iterator[tuple[pa.Table, pa.Table, pa.Table]]:
    """Chunks (families, persons, truth) in village order; every table is ready for DuckDB."""
    first_family = first_person = 0
    for number, target in enumerate(targets.provinces()):
        rng = np.random.default_rng([recipe.seed, REGISTRY, number])
        village = allocation.villages_of_families(recipe.place, number, recipe.families)
        if not len(village):  # a recipe may hold some regencies only
            continue
        regency, urban = recipe.place.regency[village], recipe.place.urban[village]
        weight = recipe.weight[regency]
        cluster = village - village.min()
        drawn = welfare.draw(rng, target.law, regency, urban, cluster, weight, recipe.headcount[regency], recipe.gap)
        whole = _places(recipe, drawn, regency, urban, weight * drawn.size)
        for rows in _chunks(regency):
            place = whole.take(rows)
            family_id = np.arange(first_family, first_family + len(place.size), dtype=np.int64)
            keys = _keys(
                id_keluarga=family_id, province=np.full(len(family_id), number, np.uint8),
                regency=place.regency.astype(np.uint16),
                district=recipe.place.district[village[rows]].astype(np.uint16),
                village=village[rows].astype(np.uint32), urban=place.urban,
                jumlah_anggota_keluarga=place.size.astype(np.int32),
            )  # fmt: skip
            home = dwelling.draw(rng, place, recipe.factors, recipe.cuts, recipe.sanitation, recipe.water)
            people = members.draw(rng, place)
            truth = pa.table(dict([*keys[:1], *keys[2:3], ("urban", pa.array(place.urban)),
                                   ("family_size", pa.array(place.size)),
                                   ("weight", pa.array(weight[rows])),
                                   ("expenditure", pa.array(drawn.expenditure[rows]))]))  # fmt: skip
            yield (_with_keys(keys, _arrow(home)), _people_table(people, family_id, first_person), truth)
            first_family += len(family_id)
            first_person += len(people.family)


def _chunks(regency: NDArray[np.int64]) -> Iterator[slice]:
    """Slices of whole regencies of about CHUNK families."""
    ends = np.flatnonzero(np.append(regency[1:] != regency[:-1], True)) + 1
    start = 0
    for end, nxt in zip(ends, [*ends[1:], None], strict=True):
        if nxt is None or nxt - start > CHUNK:
            yield slice(start, int(end))
            start = int(end)


def draw_registry(con: duckdb.DuckDBPyConnection, recipe: Recipe, progress: Progress) -> None:
    """Tables ``sim_keluarga``, ``sim_anggota`` and ``truth``."""
    identity.register_units(con)
    done = 0
    for number, (families, persons, truth) in enumerate(draw_families(recipe)):
        con.register("family_chunk", families)
        con.register("person_chunk", persons)
        con.register("truth_chunk", truth)
        store(con, "truth", "SELECT * FROM truth_chunk", first=number == 0)
        store(con, "drawn_keluarga", "SELECT * FROM family_chunk", first=number == 0)
        store(con, "drawn_anggota", "SELECT * FROM person_chunk", first=number == 0)
        done += families.num_rows
        progress(0.8 * done / recipe.total)
    for name in ("family_chunk", "person_chunk", "truth_chunk"):
        con.unregister(name)
    con.execute("CREATE TABLE sim_keluarga AS " + identity.families_sql(recipe.seed, "drawn_keluarga", named=True))
    progress(0.87)
    con.execute("CREATE TABLE sim_anggota AS " + identity.members_sql(
        recipe.seed, recipe.as_of, "drawn_anggota", "sim_keluarga"))  # fmt: skip
    con.execute("DROP TABLE drawn_keluarga; DROP TABLE drawn_anggota")
    con.execute("""UPDATE sim_keluarga SET nama_anggota_keluarga = a.nama FROM sim_anggota AS a
        WHERE a.id_keluarga = sim_keluarga.id_keluarga AND a.status_hubungan_keluarga = 1""")
    progress(1.0)


def store(con: duckdb.DuckDBPyConnection, table: str, statement: str, *, first: bool) -> None:
    """Make `table` from the `first` chunk's statement, append the others'."""
    con.execute(f"CREATE TABLE {table} AS {statement}" if first else f"INSERT INTO {table} {statement}")


def ahead(chunks: Iterator[T]) -> Iterator[T]:
    """The same chunks, each drawn while the one before is being stored."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, chunks, None)
        while (chunk := waiting.result()) is not None:
            waiting = pool.submit(next, chunks, None)
            yield chunk
