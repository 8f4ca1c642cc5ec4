"""View-models of the first page: published tables in, figures with unit, sentence and source out.

The page, the presenter view and the one-page document all show what is built here, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published, TableSpec, publish
from dtsen_core.policy.programme_rules import Rule, summary_keys, summary_rules
from dtsen_core.policy.summary import UNKNOWN_BAND, NationalState, bands, covered_columns
from dtsen_core.present import numbers
from dtsen_core.regions import official
from dtsen_core.registry.manifest import Manifest

# Below this share of the national registry a dataset is a part of the country: national quotas and official
# national rates are then not comparable.
NATIONAL_SHARE = 0.5
FRESH_BANDS = ("fresh", "recent")
KINDS = ("update", "ground_check")

_PROVINCES = TableSpec(
    key="code",
    counts=("families", "persons", "families_d14"),
    persons=("persons",),
    rates={"share_d14": ("families_d14", "families")},
)
_POVERTY = TableSpec(
    key="code",
    counts=("families", "persons", "poor_persons"),
    persons=("persons", "poor_persons"),
    measures=("p0", "p0_low", "p0_high"),
)


@dataclass(frozen=True)
class Sealed:
    """The published tables of the first page, with what is needed to label them."""

    manifest: Manifest
    nation: Published
    provinces: Published
    deciles: Published
    poverty: Published | None
    why_no_poverty: str
    freshness: dict[str, Published]
    median_age: dict[str, float]
    share_of_registry: float

    @property
    def national(self) -> bool:
        """True if the dataset covers enough of the country to stand beside national figures."""
        return self.share_of_registry >= NATIONAL_SHARE

    def reason(self, lang: str) -> str:
        """Why cells are hidden, or an empty text."""
        tables = (self.nation, self.provinces, self.deciles, self.poverty, *self.freshness.values())
        return next((t.reason(lang) for t in tables if t is not None and t.any_suppressed), "")


def _deciles() -> TableSpec:
    rules = summary_keys()
    return TableSpec(
        key="decile",
        counts=("families", "persons", *(c for p in rules for c in covered_columns(p))),
        persons=("persons", *(c for p in rules if p.unit == "persons" for c in covered_columns(p))),
        additive={p.unit: covered_columns(p) for p in rules if p.other},
        rates={f"{p.key}_rate": (p.key, p.unit) for p in rules},
    )


def seal(state: NationalState, manifest: Manifest) -> Sealed:
    """Pass every table of `state` through disclosure control."""
    origin = manifest.origin
    nation = publish(state.nation, _PROVINCES, origin=origin)
    kept = not bool(nation.suppressed["families"].any())
    return Sealed(
        manifest=manifest,
        nation=nation,
        provinces=publish(state.provinces, _PROVINCES, origin=origin),
        deciles=publish(state.deciles, _deciles(), origin=origin),
        poverty=None if state.poverty is None else publish(state.poverty, _POVERTY, origin=origin),
        why_no_poverty=state.why_no_poverty,
        freshness={kind: _seal_freshness(state.freshness, kind, origin) for kind in KINDS},
        median_age={k: v if kept else float("nan") for k, v in state.median_age.items()},
        share_of_registry=state.share_of_registry,
    )


def _seal_freshness(frame: pd.DataFrame, kind: str, origin: str) -> Published:
    table = frame[["band", f"n_{kind}", kind]].rename(columns={f"n_{kind}": "n", kind: "families"})
    return publish(table, TableSpec(key="band", counts=("families",)), origin=origin)


@dataclass(frozen=True)
class Figure:
    """One figure for reading: label, value with its unit, lines beside it, and where it comes from."""

    key: str
    label: str
    value: str
    unit: str
    notes: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class ProgrammeRow:
    """Coverage of one programme; counts in the programme's unit, rates as fractions, NaN where hidden."""

    rule: Rule
    covered: float
    target: float
    covered_in_target: float
    uncovered: float

    @property
    def elsewhere(self) -> float:
        """Units of the target group that another payer covers."""
        return max(self.target - self.covered_in_target - self.uncovered, 0.0)

    @property
    def elsewhere_share(self) -> float:
        return self.elsewhere / self.target if self.target > 0 else float("nan")

    @property
    def outside(self) -> float:
        return self.covered - self.covered_in_target

    @property
    def quota_share(self) -> float:
        return self.covered / self.rule.quota if self.rule.quota else float("nan")

    @property
    def target_share(self) -> float:
        return self.covered_in_target / self.target if self.target > 0 else float("nan")

    @property
    def uncovered_share(self) -> float:
        return self.uncovered / self.target if self.target > 0 else float("nan")

    @property
    def outside_share(self) -> float:
        return self.outside / self.covered if self.covered > 0 else float("nan")

    def name(self, lang: str) -> str:
        return text(f"ringkasan.programme_{self.rule.key}", lang)

    def unit(self, lang: str) -> str:
        return text(f"ringkasan.unit_{self.rule.unit}", lang)

    def decile_span(self) -> str:
        return f"{self.rule.decile_from}–{self.rule.decile_to}"


def programme_rows(sealed: Sealed) -> tuple[ProgrammeRow, ...]:
    """Coverage per programme from the published decile table; a hidden cell hides the sums it enters.

    A programme of which the data say nothing has no row: unknown is not zero.
    """
    frame = sealed.deciles.frame.set_index("decile")
    rows = []
    for rule in summary_rules(sealed.manifest.as_of):
        if rule.key not in sealed.manifest.programmes:
            continue
        inside = frame.loc[list(rule.deciles)]
        target = float(inside[rule.unit].sum(skipna=False))
        covered = float(inside[rule.key].sum(skipna=False))
        uncovered = target - covered
        if rule.other:
            uncovered = float(inside[f"{rule.key}_uncovered"].sum(skipna=False))
        rows.append(
            ProgrammeRow(
                rule=rule,
                covered=float(frame[rule.key].sum(skipna=False)),
                target=target,
                covered_in_target=covered,
                uncovered=uncovered,
            )
        )
    return tuple(rows)


def headline(sealed: Sealed, lang: str) -> tuple[Figure, ...]:
    """The four figures on top: families, persons, poverty rate, number of poor."""
    nation = sealed.nation.frame.iloc[0]
    source = _source(sealed, lang)
    base = text(
        "ringkasan.rows_simulated" if sealed.manifest.simulated else "ringkasan.rows_real",
        lang,
        n=numbers.number(sealed.manifest.families, lang),
    )
    families = Figure(
        "families",
        text("ringkasan.families", lang),
        _or_hidden(numbers.people(nation["families"], lang), nation["families"], sealed.nation, lang),
        text("ringkasan.unit_families", lang),
        (base,),
        source,
    )
    mean_size = nation["persons"] / nation["families"] if nation["families"] > 0 else float("nan")
    persons = Figure(
        "persons",
        text("ringkasan.persons", lang),
        _or_hidden(numbers.people(nation["persons"], lang), nation["persons"], sealed.nation, lang),
        text("ringkasan.unit_persons", lang),
        (text("ringkasan.mean_size", lang, size=numbers.number(mean_size, lang, 2)),),
        source,
    )
    return families, persons, *poverty_figures(sealed, lang)


def poverty_figures(sealed: Sealed, lang: str) -> tuple[Figure, Figure]:
    """Poverty rate and number of poor: the model's estimate, official ones with date and base beside."""
    labels = text("ringkasan.p0", lang), text("ringkasan.poor", lang)
    published = official.national()
    beside = [
        text(
            "ringkasan.official",
            lang,
            value=value,
            date=numbers.date(published[key].date, lang),
            base=text("ringkasan.official_base", lang),
        )
        for key, value in (
            ("p0_mar2025", numbers.percent(published["p0_mar2025"].value / 100, lang, 2)),
            ("poor_mar2025", numbers.people(published["poor_mar2025"].value, lang)),
        )
    ]
    beside_source = published["p0_mar2025"].source
    if sealed.poverty is None:
        why = text(sealed.why_no_poverty, lang)
        none = numbers.not_available(lang)
        return (
            Figure("p0", labels[0], none, "", (why, beside[0]), beside_source),
            Figure("poor", labels[1], none, "", (why, beside[1]), beside_source),
        )
    row = sealed.poverty.frame.iloc[0]
    rate = _or_hidden(numbers.percent(row["p0"], lang, 2), row["p0"], sealed.poverty, lang)
    poor = _or_hidden(numbers.people(row["poor_persons"], lang), row["poor_persons"], sealed.poverty, lang)
    interval = text("ringkasan.interval", lang, interval=numbers.interval(row["p0_low"], row["p0_high"], lang, 2))
    later = text(
        "ringkasan.official_later",
        lang,
        value=numbers.percent(published["p0_sep2025"].value / 100, lang, 2),
        date=numbers.date(published["p0_sep2025"].date, lang),
    )
    source = f"{_source(sealed, lang)}; {beside_source}"
    return (
        Figure(
            "p0",
            labels[0],
            rate,
            text("ringkasan.unit_population", lang),
            (interval, beside[0], later),
            source,
        ),
        Figure(
            "poor",
            labels[1],
            poor,
            text("ringkasan.unit_persons_estimate", lang),
            (text("ringkasan.survey_base", lang), beside[1]),
            source,
        ),
    )


def extremes(sealed: Sealed) -> tuple[pd.Series, pd.Series] | None:
    """(highest, lowest) province by share of families in deciles 1–4; None with fewer than two shares."""
    frame = sealed.provinces.frame.dropna(subset=["share_d14"])
    if len(frame) < 2:
        return None
    ordered = frame.sort_values(["share_d14", "code"])
    return ordered.iloc[-1], ordered.iloc[0]


def fresh_share(sealed: Sealed, kind: str) -> float:
    """Share of families whose `kind` date lies in the last twelve months; NaN if a cell is hidden."""
    frame = sealed.freshness[kind].frame.set_index("band")["families"]
    total = float(frame.sum(skipna=False))
    return float(frame.loc[list(FRESH_BANDS)].sum(skipna=False)) / total if total > 0 else float("nan")


def band_shares(sealed: Sealed, kind: str) -> pd.Series:
    """Share of families per age band, in the order of the bands with "unknown" last."""
    frame = sealed.freshness[kind].frame.set_index("band")["families"]
    total = float(frame.sum(skipna=True))
    order = [band.key for band in bands()] + [UNKNOWN_BAND]
    return (frame / total if total > 0 else frame * float("nan")).reindex(order)


def _or_hidden(shown: str, value: float, table: Published, lang: str) -> str:
    return table.label(lang) if numbers.missing(value) and table.any_suppressed else shown


def _source(sealed: Sealed, lang: str) -> str:
    key = "ringkasan.source_simulated" if sealed.manifest.simulated else "ringkasan.source_real"
    return text(key, lang, version=sealed.manifest.version, date=numbers.date(sealed.manifest.as_of, lang))
