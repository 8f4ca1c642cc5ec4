"""Figures behind the page: joins that do not multiply, totals to the rupiah, sentences that say what they found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dtsen_core.locale import LANGS
from dtsen_core.oversight import tables_effectiveness as specs
from dtsen_core.oversight.disclosure import publish
from dtsen_core.policy import cube, family_traits
from dtsen_core.policy.effectiveness import causal, delivery, payments, poverty, reach
from dtsen_core.policy.effectiveness.causal import Check, Verdict
from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.programme_rules import rule_on
from dtsen_core.present import efektivitas, numbers
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

NATION = Scope()


def rule(opened: Dataset, key: str):
    return rule_on(key, opened.manifest.as_of)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["pkh", "sembako", "pbi"])
def test_payments_agree_with_the_programme_file_to_the_rupiah(opened: Dataset, key: str) -> None:
    paid = payments.payments(opened, rule(opened, key), NATION)
    file = opened.cursor().execute(
        "SELECT sum(amount), count(DISTINCT id_keluarga) FROM enrolment WHERE program = ? AND quarter = ?",
        [rule(opened, key).enrolment, paid.quarter],
    ).fetchone()  # fmt: skip
    assert file is not None
    assert (paid.rows * paid.amount).sum() == pytest.approx(file[0], abs=0.5)
    assert (paid.rows * paid.listed).sum() == file[1]
    assert paid.rows.sum() == opened.manifest.families


@pytest.mark.slow
def test_areas_add_up_and_higher_deciles_are_better_off(opened: Dataset) -> None:
    cells, pkh = cube.cube(opened), rule(opened, "pkh")
    whole = reach.reach(cells, pkh, NATION)
    parts = [reach.reach(cells, pkh, Scope(code)).totals for code in units.table("province")["code"]]
    added = pd.concat(parts)[["base", "eligible", "listed", "covered", "missed", "leaked"]].sum()
    np.testing.assert_allclose(added, whole.totals[added.index].iloc[0], rtol=1e-9)
    row = whole.totals.iloc[0]
    assert row["missed"] == pytest.approx(row["other_payer"] + row["no_place"] + row["displaced"])
    assert row["leaked"] == pytest.approx(row["above"] + row["condition"] + row["unranked"])
    share = whole.by_decile.set_index("decile")["listed"] / whole.by_decile.set_index("decile")["units"]
    assert share[1] > share[4] > share[6] > share[9]
    urban, rural = (reach.reach(cells, pkh, Scope(place=p)).totals["listed"].iat[0] for p in ("urban", "rural"))
    # villages that are not known are neither urban nor rural
    unknown = (cells.sums["pkh"] * cells.weight)[cells.urban == 0].sum()
    assert urban + rural + unknown == pytest.approx(row["listed"])


@pytest.mark.slow
@pytest.mark.parametrize("scope", [NATION, Scope("32", "rural", "female_head"), Scope("3273", group="large")])
def test_readiness_speaks_of_the_families_that_reach_counts(opened: Dataset, scope: Scope) -> None:
    cells, pkh = cube.cube(opened), rule(opened, "pkh")
    row = delivery.delivery(opened, pkh, scope).iloc[0]
    assert row["families"] == pytest.approx(reach.reach(cells, pkh, scope).totals["listed"].iat[0])
    assert row["families"] == pytest.approx(row["nik_valid"] + row["nik_invalid"])
    assert row["families"] == pytest.approx(row[list(delivery.AGES)].sum())


@pytest.mark.slow
def test_traits_read_off_the_packed_codes_are_those_of_the_indicators(opened: Dataset) -> None:
    packed, plain = family_traits.packed(), family_traits._FROM_INDICATORS
    apart = " + ".join(f"count(*) FILTER (({packed[name]}) IS DISTINCT FROM ({sql}))" for name, sql in plain.items())
    found = opened.cursor().execute(f"SELECT {apart} FROM family_packed f JOIN indicators i USING (id_keluarga)")
    assert found.fetchone() == (0,)


@pytest.mark.slow
def test_the_poverty_effect_starts_from_the_official_rate(opened: Dataset) -> None:
    residuals, factors = poverty.line_factors(opened)
    assert residuals is not None
    paid = payments.payments(opened, rule(opened, "sembako"), NATION)
    found = poverty.poverty_effect(paid, residuals, factors)
    assert found is not None
    assert found.table.loc["p0", "with_transfer"] == pytest.approx(0.0847, abs=0.001)
    assert (found.table["change"] < 0).all()
    assert 0 < found.benefit_cost < 1
    errors = found.table[["se_without", "se_with", "se_change"]]
    assert (errors > 0).all(axis=None)
    assert (errors["se_change"] < errors["se_with"]).all()
    # a share of families: what a simple random sample of the same rows would give, times a modest design effect
    p, effective = found.table.loc["p0", "with_transfer"], paid.persons.sum() ** 2 / (paid.persons**2 / paid.rows).sum()
    assert errors.loc["p0", "se_with"] == pytest.approx(np.sqrt(p * (1 - p) / effective), rel=0.1)
    nothing = payments.payments(opened, rule(opened, "blt_desa"), NATION)
    assert poverty.poverty_effect(nothing, residuals, factors) is None


@pytest.mark.slow
def test_staggered_entry_finds_the_true_effect(opened: Dataset) -> None:
    found = causal.staggered(causal.did_frame(opened, rule(opened, "pkh"), NATION, "ln_expenditure"), "ln_expenditure")
    truth = causal.truth(opened, rule(opened, "pkh"), "ln_expenditure")
    estimate, low, high = found.estimate
    assert truth == 0.06
    # three standard errors: a test that fails once in 370 datasets, not once in 20
    assert abs(estimate - truth) < 3 * (high - low) / (2 * 1.96)
    assert {check.code for check in found.checks} == {"entrants", "comparison", "pretrend", "imputation"}
    assert found.cross is not None
    assert found.cross.ci[0] < estimate < found.cross.ci[1] or abs(found.cross.estimate - estimate) < 0.02
    for lang in LANGS:
        made = efektivitas.estimator_table(found, lang).frame
        assert len(made) == 5
        assert efektivitas.effect_words(found.cross.estimate, "ln_expenditure", lang) in made.iloc[-1].tolist()


@pytest.mark.parametrize("lang", LANGS)
def test_the_reach_sentence_states_its_figures(lang: str) -> None:
    row = {"code": "ID", "n": 900.0, "families": 9000.0, "base": 9000.0, "eligible": 4000.0, "listed": 2000.0,
           "covered": 1500.0, "missed": 2500.0, "leaked": 500.0, "other_payer": 0.0, "no_place": 2000.0,
           "displaced": 500.0, "above": 500.0, "condition": 0.0, "unranked": 0.0, "coverage": 0.375,
           "exclusion": 0.625, "leakage": 0.25}  # fmt: skip
    totals = publish(pd.DataFrame([row]), specs.totals("families"), origin="simulated")
    pkh = rule_on("pkh", "2026-01-23")
    said = efektivitas.reach_finding(totals, pkh, "families", 4, "Jawa Barat", lang)
    for figure in (0.625, 0.25):
        assert numbers.percent(figure, lang) in said
    cause = efektivitas.cause_finding(totals, "families", lang)
    assert numbers.percent(0.8, lang) in cause
    assert efektivitas.t("cause_no_place", lang) in cause
    empty = publish(pd.DataFrame([row | {k: 0.0 for k in row if k not in ("code", "n", "families")}]),
                    specs.totals("families"), origin="simulated")  # fmt: skip
    assert "nan" not in efektivitas.reach_finding(empty, pkh, "families", 4, "x", lang).lower()


@pytest.mark.parametrize("lang", LANGS)
def test_the_sentences_over_the_charts_state_their_figures(lang: str) -> None:
    pkh, deciles = rule_on("pkh", "2026-01-23"), np.arange(1, 11)
    share = np.linspace(0.5, 0.05, 10)
    base = pd.DataFrame({"decile": deciles, "n": 900.0, "families": 9000.0})
    by = base.assign(units=9000.0, listed=9000 * share, share=share)
    said = efektivitas.decile_finding(
        publish(by, specs.by_decile("families"), origin="simulated"), pkh, "families", 4, lang)  # fmt: skip
    assert all(numbers.percent(share[k], lang, 0) in said for k in (0, 3, 4))
    paid = base.assign(listed=9000 * share, benefits=1e6 * share, coverage=share, share_listed=share / share.sum(),
                       share_benefits=share**2 / (share**2).sum())  # fmt: skip
    said = efektivitas.incidence_decile_finding(publish(paid, specs.incidence(), origin="simulated"), pkh, lang)
    assert numbers.percent(0.5 / share.sum(), lang) in said
    assert numbers.percent(0.25 / (share**2).sum(), lang) in said
    free = publish(paid.assign(share_benefits=np.nan, benefits=np.nan), specs.incidence(), origin="simulated")
    assert numbers.percent(0.5 / share.sum(), lang) in efektivitas.incidence_decile_finding(free, pkh, lang)
    curve = pd.DataFrame({"population": [0, 0.4, 0.6, 1], "benefits": [0, 0.7, 0.9, 1]})
    assert numbers.percent(0.8, lang) in efektivitas.curve_finding(curve, lang)


@pytest.mark.parametrize("lang", LANGS)
def test_a_failed_diagnostic_withholds_the_headline(lang: str) -> None:
    pkh, rng = rule_on("pkh", "2026-01-23"), np.random.default_rng(2)
    gap = rng.uniform(-1, 1, 3000)
    listed = (rng.random(3000) < np.where(gap >= 0, 0.7, 0.2)).astype(int)
    frame = pd.DataFrame({"gap": gap, "listed": listed, "change": 0.5 * listed + 0.05 * rng.normal(size=3000),
                          "regency": 1, "family_size": rng.integers(1, 7, 3000), "female_head": 0,
                          "elderly_head": 0, "disability": 0, "urban": 1, "other_sembako": 0})  # fmt: skip
    good = causal.discontinuity(frame, "ln_expenditure")
    assert good.credible, good.failed
    said = efektivitas.causal_finding(good, pkh, "x", lang)
    assert all(efektivitas.effect_words(v, "ln_expenditure", lang) in said for v in good.estimate)
    rival = frame.assign(other_sembako=listed)
    bad = causal.discontinuity(rival, "ln_expenditure")
    assert [check.code for check in bad.failed] == ["rivals"]
    said = efektivitas.causal_finding(bad, pkh, "x", lang)
    assert efektivitas.effect_words(bad.estimate[0], "ln_expenditure", lang) not in said
    assert "Sembako" in efektivitas.failed_words(bad, {"sembako": "Sembako"}, lang)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"listed": 1}, "same"), ({"change": 1.0}, "constant"), ({"gap": 0.5}, "side"),
    ],
)  # fmt: skip
def test_what_cannot_be_estimated_has_a_reason_in_words(change: dict, key: str) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"gap": rng.uniform(-1, 1, 500), "listed": rng.integers(0, 2, 500),
                          "change": rng.normal(size=500), "regency": 1}).assign(**change)  # fmt: skip
    found = causal.discontinuity(frame, "ln_expenditure")
    assert found.result is None
    for lang in LANGS:
        assert efektivitas.reason_words(found, lang) == efektivitas.t(f"reason_{key}", lang)
    quarters = pd.DataFrame({"id": np.repeat(np.arange(200), 2), "quarter": ["2025Q1", "2025Q2"] * 200, "regency": 1,
                             "outcome": rng.normal(size=400)})  # fmt: skip
    for first, said in ((None, "treated"), ("2025Q2", "never"), ("2025Q1", "pre")):
        stuck = causal.staggered(quarters.assign(first=first), "ln_expenditure")
        assert stuck.result is None
        assert efektivitas.reason_words(stuck, "id") == efektivitas.t(f"reason_{said}", "id"), stuck.reason
    nobody = causal.staggered(pd.DataFrame(), "school")
    assert efektivitas.reason_words(nobody, "id") == efektivitas.t("reason_nobody", "id")
    table = efektivitas.check_table((Check("pretrend", True, float("nan")),), {}, "en")
    assert "nan" not in str(table.frame).lower()
    assert isinstance(nobody, Verdict)
