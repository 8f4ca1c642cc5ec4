"""Group-time effects against the published minimum-wage example, and against what strangers may bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
from scipy import stats

from dtsen_core.policy.impact import difference_in_differences, imputation_estimate

NAMES = {"outcome": "lemp", "unit": "county", "time": "year", "first_treated": "first_treat"}
# Results of the R package did without bootstrap: (effect, standard error).
PUBLISHED = {
    "never": {"simple": (-0.0399512751551763, 0.0120340127701854), "dynamic": (-0.0772398214573151, 0.0199649890618494),
              "group": (-0.0310182822287484, 0.0124460593209979), "calendar": (-0.0417004321312822, 0.01597185188456)},
    "notyet": {"simple": (-0.0397636256230437, 0.0120524247873419),
               "dynamic": (-0.0773993139705847, 0.0195601769463944),
               "group": (-0.030462228112565, 0.0125751201316818),
               "calendar": (-0.0442670834758837, 0.0155709044211449)},
}  # fmt: skip
# With log population as covariate, by estimator; "dr" is the one published by default.
ADJUSTED = {
    "reg": {"simple": (-0.0419686124215432, 0.0114448297682151), "dynamic": (-0.0807817453337615, 0.0187458547114755),
            "group": (-0.0329292402290042, 0.0118603087662617),
            "calendar": (-0.0445323313531745, 0.0148850278130483)},
    "dr": {"simple": (-0.041752, 0.011503), "dynamic": (-0.080354, 0.018958), "group": (-0.032820, 0.011898),
           "calendar": (-0.044177, 0.015038)},
    "ipw": {"simple": (-0.041777, 0.011500), "dynamic": (-0.080377, 0.018954), "group": (-0.032875, 0.011893),
            "calendar": (-0.044170, 0.015035)},
}  # fmt: skip
# One period of anticipation.
EARLY = {"simple": (-0.045206, 0.016683), "dynamic": (-0.044734, 0.018612), "group": (-0.049778, 0.017385),
         "calendar": (-0.030704, 0.017021)}  # fmt: skip
GROUP_TIME = {(2004, 2004): (-0.0105032462209624, 0.0232510363681664),
              (2006, 2004): (0.00652011242423301, 0.0233268051418047),
              (2006, 2007): (-0.0412244715462175, 0.0202291807041068),
              (2007, 2006): (-0.0310871193896889, 0.0178775113133435)}  # fmt: skip


@pytest.mark.parametrize("control", ["never", "notyet"])
def test_the_published_effects_and_errors(mpdta: pd.DataFrame, control: str) -> None:
    found = difference_in_differences(mpdta, **NAMES, control=control)
    for name, (effect, se) in PUBLISHED[control].items():
        assert getattr(found, name).estimate == pytest.approx(effect, abs=1e-10)
        assert getattr(found, name).se == pytest.approx(se, abs=1e-10)
    assert len(found.group_time) == 12
    assert found.event_study["event"].tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_the_published_group_times_and_pretest(mpdta: pd.DataFrame) -> None:
    found = difference_in_differences(mpdta, **NAMES)
    table = found.group_time.set_index(["group", "time"])
    for at, (effect, se) in GROUP_TIME.items():
        assert tuple(table.loc[at, ["estimate", "se"]]) == pytest.approx((effect, se), abs=1e-10)
    assert found.pretrend.p_value == pytest.approx(0.16812, abs=5e-6)
    assert (found.n_units, found.n_treated, found.n_control) == (500, 191, 309)
    assert found.minimum_detectable_effect == pytest.approx(2.8016 * found.simple.se, rel=1e-4)
    wide = found.event_study
    assert (wide["band_low"] < wide["ci_low"]).all()


@pytest.mark.parametrize("method", ["reg", "dr", "ipw"])
def test_the_published_effects_with_a_covariate(mpdta: pd.DataFrame, method: str) -> None:
    found = difference_in_differences(mpdta, **NAMES, covariates="lpop", method=method, draws=0)
    for name, (effect, se) in ADJUSTED[method].items():
        assert getattr(found, name).estimate == pytest.approx(effect, abs=1e-6)
        assert getattr(found, name).se == pytest.approx(se, abs=1e-6)


def test_anticipation_and_a_universal_base(mpdta: pd.DataFrame) -> None:
    early = difference_in_differences(mpdta, **NAMES, anticipation=1, draws=0)
    for name, (effect, se) in EARLY.items():
        assert (getattr(early, name).estimate, getattr(early, name).se) == pytest.approx((effect, se), abs=1e-6)
    wide = difference_in_differences(mpdta, **NAMES, base="universal")
    assert wide.simple.estimate == pytest.approx(PUBLISHED["never"]["simple"][0], abs=1e-10)
    study = wide.event_study.set_index("event")
    assert study.index.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3]
    assert study.loc[-1, ["estimate", "se"]].tolist() == [0, 0]
    # the step from -2 to -1, read the other way round
    step = difference_in_differences(mpdta, **NAMES, draws=0).event_study.set_index("event").loc[-1, "estimate"]
    assert study.loc[-2, "estimate"] == pytest.approx(-step)


def test_every_way_to_write_never_and_any_order(mpdta: pd.DataFrame) -> None:
    expected = difference_in_differences(mpdta, **NAMES, draws=0).simple
    for never in (np.nan, np.inf, 9999):
        first = mpdta["first_treat"].astype(float).replace(0, never)
        data = mpdta.assign(first_treat=first).sample(frac=1, random_state=2)
        assert difference_in_differences(data, **NAMES, draws=0).simple.estimate == pytest.approx(expected.estimate)
    said = mpdta["first_treat"].astype(str).replace("0", "never")
    year = mpdta["year"].astype(str)
    for change in ({"first_treat": said}, {"year": year}, {"year": year, "first_treat": said},
                   {"year": pd.PeriodIndex(year, freq="Y"), "first_treat": said.replace("never", None)}):  # fmt: skip
        found = difference_in_differences(mpdta.assign(**change), **NAMES, draws=0)
        assert found.simple.estimate == pytest.approx(expected.estimate)
    indexed = mpdta.set_index(["county", "year"])
    assert difference_in_differences(indexed, **NAMES, draws=0).simple == expected
    words = mpdta.assign(year=mpdta["year"].astype(str) + "Q1", first_treat=np.where(
        mpdta["first_treat"] == 0, None, mpdta["first_treat"].astype(str) + "Q1"))  # fmt: skip
    found = difference_in_differences(words, **NAMES, draws=0)
    assert found.simple.estimate == pytest.approx(expected.estimate)
    assert found.group_time["group"].iat[0] == "2004Q1"
    dates = mpdta.assign(year=pd.to_datetime(mpdta["year"].astype(str)), first_treat=pd.to_datetime(
        mpdta["first_treat"].astype(str).replace("0", None)))  # fmt: skip
    assert difference_in_differences(dates, **NAMES, draws=0).simple.se == pytest.approx(expected.se)


def test_weights_and_clusters(mpdta: pd.DataFrame) -> None:
    plain = difference_in_differences(mpdta, **NAMES, draws=0)
    same = mpdta.assign(w=3.0, own=mpdta["county"], state=mpdta["county"] // 1000)
    weighted = difference_in_differences(same, **NAMES, weights="w", cluster="own", draws=0)
    assert weighted.simple.se == pytest.approx(plain.simple.se)
    assert difference_in_differences(same, **NAMES, cluster="state", draws=0).simple.estimate == plain.simple.estimate
    # a row counted twice and a row of weight two are one estimate
    twice = pd.concat([mpdta, mpdta[mpdta["county"] < 20000].assign(county=lambda d: d["county"] + 10**6)])
    double = mpdta.assign(w=np.where(mpdta["county"] < 20000, 2, 1))
    assert difference_in_differences(twice, **NAMES, draws=0).simple.estimate == pytest.approx(
        difference_in_differences(double, **NAMES, weights="w", draws=0).simple.estimate)  # fmt: skip


def test_few_clusters_are_corrected_for() -> None:
    """Two periods: the regression of the change on being treated, with its cluster-robust error and t interval."""
    rng = np.random.default_rng(4)
    unit = np.arange(120)
    place, treated = unit // 12, unit < 48
    change = 1.0 * treated + rng.normal(size=10)[place] + rng.normal(size=120)
    data = pd.DataFrame({"i": np.tile(unit, 2), "t": np.repeat([1, 2], 120), "g": np.tile(np.where(treated, 2, 0), 2),
                         "y": np.concatenate([np.zeros(120), change]), "c": np.tile(place, 2)})  # fmt: skip
    found = difference_in_differences(
        data, outcome="y", unit="i", time="t", first_treated="g", cluster="c", draws=0
    ).simple
    fitted = sm.OLS(change, sm.add_constant(treated.astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": place}
    )  # its own correction also counts the two coefficients
    assert found.estimate == pytest.approx(fitted.params[1])
    assert found.se == pytest.approx(fitted.bse[1] * np.sqrt(118 / 119))
    assert (found.ci[1] - found.estimate) / found.se == pytest.approx(stats.t.ppf(0.975, 9))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.estimate / found.se), 9))


def test_unbalanced_panels(mpdta: pd.DataFrame) -> None:
    holes = mpdta.drop(mpdta.index[::17])
    found = difference_in_differences(holes, **NAMES, draws=0)
    assert found.simple.estimate == pytest.approx(-0.04, abs=0.02)
    assert any("not seen in every period" in note for note in found.notes)
    kept = holes.groupby("county")["year"].transform("size") == 5
    balanced = difference_in_differences(holes, **NAMES, balance=True, draws=0)
    assert balanced.simple.estimate == difference_in_differences(holes[kept], **NAMES, draws=0).simple.estimate


def test_one_group_and_a_known_effect() -> None:
    rng = np.random.default_rng(1)
    unit, time = np.repeat(np.arange(400), 6), np.tile(np.arange(6), 400)
    treated = unit < 150
    y = rng.normal(size=400)[unit] + 0.3 * time + 1.5 * (treated & (time >= 3)) + 0.2 * rng.normal(size=2400)
    data = pd.DataFrame({"y": y, "i": unit, "t": time, "g": np.where(treated, 3, np.inf)})
    options = {"outcome": "y", "unit": "i", "time": "t", "first_treated": "g"}
    found = difference_in_differences(data, **options)
    assert found.ci[0] < 1.5 < found.ci[1]
    assert found.pretrend.p_value > 0.001
    check = imputation_estimate(data, **options)
    assert check.estimate == pytest.approx(found.estimate, abs=0.1)
    assert check.ci[0] < 1.5 < check.ci[1]
    # time 0 exists, so a first treatment at 0 is from the start, not never
    early = difference_in_differences(data.assign(g=np.where(data["i"] < 20, 0, data["g"])), **options)
    assert any("20 units treated in or before the first period" in note for note in early.notes)


def test_imputation_is_that_of_the_library(mpdta: pd.DataFrame) -> None:
    """pyfixest's two-stage estimator, but for the tolerance of its iterations; plain least squares: −0.03371585."""
    treated = (mpdta["first_treat"] > 0) & (mpdta["year"] >= mpdta["first_treat"])
    data = mpdta.assign(treated=treated.astype(float))
    plain = (1 - data["treated"]).groupby(data["county"]).transform("sum")
    table = pyfixest.did2s(
        data[plain >= 2].reset_index(drop=True), yname="lemp", first_stage="~ 0 | county + year",
        second_stage="~ treated", treatment="treated", cluster="county",
    ).tidy().loc["treated"]  # fmt: skip
    found = imputation_estimate(mpdta, **NAMES)
    assert found.estimate == pytest.approx(table["Estimate"], abs=1e-5)
    assert found.estimate == pytest.approx(-0.0337158542, abs=1e-9)
    assert found.se == pytest.approx(table["Std. Error"], abs=1e-6)
    with pytest.raises(ValueError, match="two periods before"):
        imputation_estimate(mpdta[mpdta["first_treat"].isin([0, 2004])], **NAMES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d[d["first_treat"] == 0], "no unit is ever treated"),
        (lambda d: d[d["first_treat"] > 0], "use control='notyet'"),
        (lambda d: d[d["year"] == 2005], "only one period"),
        (lambda d: d[d["year"] >= 2007], "only one period"),
        (lambda d: d.assign(first_treat=np.where(d["first_treat"] > 0, 2003, 0)), "no period before"),
        (lambda d: d.assign(lemp=1.0), "constant"),
        (lambda d: d.assign(lemp="x"), "must be numbers"),
        (lambda d: pd.concat([d, d[:1]]), "more than once"),
        (lambda d: d.assign(first_treat=d["first_treat"] + (d["year"] == 2004)), "changes within"),
        (lambda d: d.assign(first_treat="soon"), "same terms"),
        (lambda d: d[:0], "no rows"),
        (lambda d: d.assign(lemp=d["county"]), "constant within every county"),
        (lambda d: d.assign(year=d["year"] - 2003, first_treat=(d["first_treat"] - 2003).clip(lower=0)), "missing for"),
        (lambda d: d.drop(columns="year"), "no column year"),
    ],
)
def test_what_cannot_be_estimated_is_said(mpdta: pd.DataFrame, change, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        difference_in_differences(change(mpdta), **NAMES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "magic"}, "method must be"),
        ({"anticipation": "a"}, "zero or more periods"),
        ({"control": "some"}, "control must be"),
        ({"base": "none"}, "base must be"),
        ({"weights": "uneven"}, "one sampling weight"),
        ({"covariates": "sure"}, "tell the treated from the untreated"),
    ],
)
def test_options_that_cannot_be_are_said(mpdta: pd.DataFrame, change: dict, said: str) -> None:
    data = mpdta.assign(uneven=np.arange(len(mpdta)) + 1.0, sure=(mpdta["first_treat"] > 0).astype(float))
    with pytest.raises(ValueError, match=said):
        difference_in_differences(data, **NAMES, **change)


def test_what_a_reader_must_know_is_noted(mpdta: pd.DataFrame) -> None:
    gaps = mpdta.assign(gap=mpdta["lpop"].where(mpdta["county"] % 5 > 0))
    found = difference_in_differences(gaps, **NAMES, covariates="gap", draws=0)
    assert any("rows lack a covariate" in note for note in found.notes)
    one = mpdta.loc[mpdta["first_treat"] == 2006, "county"].iat[0]
    few = mpdta[(mpdta["first_treat"] == 0) | (mpdta["county"] == one)]
    assert any("fewer than 5 units" in n for n in difference_in_differences(few, **NAMES, draws=0).notes)


def test_without_a_never_treated_group(mpdta: pd.DataFrame) -> None:
    found = difference_in_differences(mpdta[mpdta["first_treat"] > 0], **NAMES, control="notyet", draws=0)
    assert set(found.by_group["group"]) == {2004, 2006}
    assert any("2007" in note for note in found.notes)
    only = mpdta[mpdta["first_treat"] == 2007]
    with pytest.raises(ValueError, match="control units"):
        difference_in_differences(only, **NAMES, control="notyet")
