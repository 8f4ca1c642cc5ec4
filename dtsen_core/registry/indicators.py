"""The 39 ranking indicators: a declared reconstruction (``data/rules/indicators.toml``).

Each indicator turns one family into a small category number. 0 is always "unknown"; "does not apply" is a
category of its own. The SQL that computes them is generated here, so that every dataset, simulated or
real, is coded by the same statement.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.paths import RULES
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import field

NOT_APPLICABLE = "tidak berlaku"


@dataclass(frozen=True)
class Category:
    """`code` as stored in the packed data, `value` as named in an uploaded scorecard; a merged 2026 class
    lists in `merges` the category codes it stands for."""

    code: int
    value: str
    label_id: str
    label_en: str
    merges: tuple[int, ...] = ()

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


@dataclass(frozen=True)
class Indicator:
    name: str
    label_id: str
    label_en: str
    group: str
    categories: tuple[Category, ...]
    expression: str

    @property
    def radix(self) -> int:
        return len(self.categories)

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


UNKNOWN = Category(0, "tidak diketahui", "tidak diketahui", "unknown")


def _coded(name: str) -> Indicator:
    """An indicator whose categories are a code list; skipped questions get their own category."""
    source = field("keluarga", name)
    codes = codelist(source.codelist).codes
    shift = 1 - min(code.value for code in codes)  # a list that starts at 0 moves up by one
    categories = [UNKNOWN] + [
        Category(code.value + shift, str(code.value) if not code.merges else code.label_id.lower(),
                 code.label_id, code.label_en, tuple(fine + shift for fine in code.merges))
        for code in codes
    ]  # fmt: skip
    step = f"coalesce(k.{name} + {shift}, 0)"
    if source.applies_when:
        skipped = len(categories)
        categories.append(Category(skipped, NOT_APPLICABLE, NOT_APPLICABLE, "does not apply"))
        step = f"CASE WHEN NOT (k.{source.applies_when}) THEN {skipped} ELSE {step} END"
    return Indicator(name, source.label_id, source.label_en, "perumahan", tuple(categories), step)


def _asset(name: str) -> Indicator:
    source = field("keluarga", name)
    yes_no = tuple(Category(c.value, str(c.value), c.label_id, c.label_en) for c in codelist("ya_tidak").codes)
    step = f"CASE WHEN k.kepemilikan_aset = 2 THEN 2 ELSE coalesce(k.{name}, 0) END"
    return Indicator(name, source.label_id, source.label_en, "aset", (UNKNOWN, *yes_no), step)


def _declared(name: str, raw: dict, group: str) -> Indicator:
    categories = tuple(
        Category(number, entry["value"], entry["id"], entry["en"])
        for number, entry in enumerate(raw["categories"], start=1)
    )
    return Indicator(name, raw["id"], raw["en"], group, (UNKNOWN, *categories), f"coalesce({raw['step']}, 0)")


@lru_cache(maxsize=1)
def _all() -> tuple[Indicator, ...]:
    rules = tomllib.loads((RULES / "indicators.toml").read_text(encoding="utf-8"))
    dwelling = [
        _declared(name, rules[name], "perumahan") if name in rules else _coded(name) for name in rules["dwelling"]
    ]
    members = [_declared(name, raw, "anggota") for name, raw in rules["derived"].items()]
    return (*dwelling, *(_asset(name) for name in rules["assets"]), *members)


INDICATORS: tuple[Indicator, ...] = _all()

DIPLOMA = """CASE WHEN {column} = 23 THEN 1 WHEN {column} <= 5 THEN 2 WHEN {column} <= 10 THEN 3
      WHEN {column} <= 17 THEN 4 WHEN {column} = 18 THEN 5 WHEN {column} <= 22 THEN 6 END"""

FUNCTIONS = (
    "penglihatan", "pendengaran", "berjalan_atau_naik_tangga", "menggunakan_tangan_jari",
    "belajar_kemampuan_intelektual", "pengendalian_perilaku", "berbicara_komunikasi", "mengurus_diri",
    "mengingat_berkonsentrasi",
)  # fmt: skip

MEMBER_SUMS = """
  SELECT id_keluarga,
    count(*) AS members,
    count(umur) AS ages_known,
    count(*) FILTER (umur BETWEEN 15 AND 64) AS working_age,
    count(*) FILTER (umur < 15 OR umur > 64) AS dependants,
    max(jenis_kelamin) FILTER (head) AS head_sex,
    max(umur) FILTER (head) AS head_age,
    max(status_kawin) FILTER (head) AS head_marital,
    max(diploma) AS best_diploma,
    max(diploma) FILTER (head) AS head_diploma,
    count(*) FILTER (umur BETWEEN 7 AND 18) AS school_age,
    count(partisipasi_sekolah) FILTER (umur BETWEEN 7 AND 18) AS school_known,
    count(*) FILTER (umur BETWEEN 7 AND 18 AND partisipasi_sekolah <> 2) AS out_of_school,
    count(status_bekerja) AS work_known,
    count(*) FILTER (status_bekerja = 1) AS working,
    max(status_bekerja) FILTER (head) AS head_works,
    max(lapangan_usaha_dari_pekerjaan_utama) FILTER (head) AS head_sector,
    max(status_dalam_pekerjaan_utama) FILTER (head) AS head_status,
    min(kepemilikan_usaha) AS any_business,
    min(severe) AS any_disability
  FROM member_row GROUP BY id_keluarga"""


def member_row(anggota: str, as_of: dt.date) -> str:
    """One row per member with age at `as_of`, diploma class and severe disability (1 yes, 2 no, NULL)."""
    severe = " OR ".join(f"{name} <= 2" for name in FUNCTIONS)
    known = ", ".join(FUNCTIONS)
    return f"""
  SELECT *, date_sub('year', tanggal_lahir, DATE '{as_of:%Y-%m-%d}') AS umur,
    coalesce(status_hubungan_keluarga = 1, false) AS head,
    {DIPLOMA.format(column="ijazah_tertinggi_yang_dimiliki")} AS diploma,
    CASE WHEN {severe} OR penyakit_kronis > 1 THEN 1
         WHEN coalesce({known}, penyakit_kronis) IS NOT NULL THEN 2 END AS severe
  FROM {anggota}"""


def indicator_sql(as_of: dt.date, keluarga: str = "keluarga", anggota: str = "anggota") -> str:
    """A SELECT giving ``id_keluarga`` and the 39 indicators (UTINYINT), one row per family.

    `keluarga` and `anggota` are table names of ours, never user text. Members are summed before the join,
    so a family stays one row.
    """
    listed = ",\n  ".join(f"CAST({i.expression} AS UTINYINT) AS {i.name}" for i in INDICATORS)
    return f"""WITH member_row AS ({member_row(anggota, as_of)}
), member_sums AS ({MEMBER_SUMS}
)
SELECT k.id_keluarga,
  {listed}
FROM {keluarga} AS k LEFT JOIN member_sums AS m USING (id_keluarga)"""
