"""What the simulated population must reproduce: one Dagum law per province, one headcount per regency.

The Dagum distribution has cdf F(y) = (1 + (y/b)^-a)^-p. Mean, Gini and Lorenz curve follow Kleiber (2008),
"A Guide to the Dagum Distributions", in Chotikapanich (ed.), Modeling Income Distributions and Lorenz Curves.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special, stats

from dtsen_core.paths import RULES
from dtsen_core.regions import official

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dagum:
    """A Dagum law of monthly expenditure per person (rupiah) with the poverty line it was solved at."""

    a: float
    b: float
    p: float
    line: float
    tail_power: float = 0.0  # > 0: expenditure below the line follows line·(u/P0)^power (capped P1/P0)

    @property
    def mean(self) -> float:
        return self.b * _mean_factor(self.a, self.p)

    @property
    def headcount(self) -> float:
        return float((1 + (self.line / self.b) ** -self.a) ** -self.p)

    @property
    def gini(self) -> float:
        return _gini(self.a, self.p)

    def lorenz(self, u: Floats) -> Floats:
        """Share of expenditure held by the poorest share `u` of persons."""
        inner = np.clip(u, 0, 1) ** (1 / self.p)
        return np.asarray(special.betainc(self.p + 1 / self.a, 1 - 1 / self.a, inner))

    def bin_means(self, edges: Floats) -> Floats:
        """Mean expenditure between successive cumulative shares `edges` (n+1 → n): exact total for any bins."""
        held = np.diff(self.lorenz(edges)) * self.mean
        width = np.diff(edges)
        mean = held / np.maximum(width, 1e-300)
        if self.tail_power > 0:
            middle = (edges[:-1] + edges[1:]) / 2
            poor = middle < self.headcount
            mean[poor] = self.line * (middle[poor] / self.headcount) ** self.tail_power
        return np.maximum(mean, 1.0)

    def poverty_gap_ratio(self) -> float:
        """P1/P0 of the law, the cap included."""
        if self.tail_power > 0:
            return self.tail_power / (1 + self.tail_power)
        held = float(self.lorenz(np.array([self.headcount]))[0]) * self.mean
        return 1 - held / (self.headcount * self.line)

    def log_sd(self) -> float:
        """Standard deviation of log expenditure, over 2,000 bins."""
        return float(np.std(np.log(self.bin_means(np.linspace(0, 1, 2_001)))))


def _mean_factor(a: float, p: float) -> float:
    return float(np.exp(special.gammaln(1 - 1 / a) + special.gammaln(p + 1 / a) - special.gammaln(p)))


def _gini(a: float, p: float) -> float:
    lg = special.gammaln
    return float(np.exp(lg(p) + lg(2 * p + 1 / a) - lg(2 * p) - lg(p + 1 / a)) - 1)


def solve_dagum(mean: float, headcount: float, line: float, gini: float) -> Dagum | None:
    """The Dagum law with the given mean, headcount ratio at `line` and Gini; None where there is none."""

    def gap(theta: Floats) -> Floats:
        a, p = 1.02 + np.exp(theta[0]), np.exp(theta[1])
        b = mean / _mean_factor(a, p)
        found = -p * np.log1p((line / b) ** -a)
        return np.array([found - np.log(headcount), 10 * (_gini(a, p) - gini)])

    best: Dagum | None = None
    for start in ((1.0, 0.0), (0.6, 1.0), (0.8, 2.0), (1.5, -0.7)):
        found = optimize.least_squares(gap, start, bounds=([-3.0, -4.0], [3.0, 6.0]))
        if found.cost < 1e-12:
            a, p = 1.02 + float(np.exp(found.x[0])), float(np.exp(found.x[1]))
            best = Dagum(a, mean / _mean_factor(a, p), p, line)
            break
    return best


@lru_cache(maxsize=1)
def rules() -> dict:
    """``data/rules/simulation/population.toml``."""
    return tomllib.loads((RULES / "simulation" / "population.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class ProvinceTarget:
    code: str
    law: Dagum
    gini_published: bool


@lru_cache(maxsize=1)
def provinces() -> tuple[ProvinceTarget, ...]:
    """One target per province in idx order, all of March 2025.

    Where no Gini is published, the neighbours' mean is moved in steps of 0.005 to the nearest value for which
    a law exists. Where P1/P0 of the law runs above the highest published ratio, the lower tail is capped.
    """
    table = official.provinces().set_index("code")
    cap = rules()["p1_over_p0_cap"]
    targets = []
    for code, row in table.iterrows():
        published = bool(np.isfinite(row["gini_mar2025"]))
        if published:
            wanted = float(row["gini_mar2025"])
        else:
            wanted = float(table.loc[rules()["gini_neighbours"][str(code)], "gini_mar2025"].mean())
        steps = [0.0] if published else [s * d for s in np.arange(0, 0.2, 0.005) for d in (1, -1)]
        law = None
        for step in steps:
            law = solve_dagum(row["exp_pc_month_rp_mar2025"], row["p0_mar2025"] / 100,
                              float(row["gk_mar2025"]), wanted + float(step))  # fmt: skip
            if law is not None:
                break
        if law is None:
            raise ValueError(f"no Dagum law for province {code}")
        if law.poverty_gap_ratio() > cap:
            law = Dagum(law.a, law.b, law.p, law.line, tail_power=cap / (1 - cap))
        targets.append(ProvinceTarget(str(code), law, published))
    return tuple(targets)


@lru_cache(maxsize=1)
def regency_headcounts() -> pd.DataFrame:
    """514 rows in idx order: ``code, parent_code, population, target`` (fraction).

    The pattern of 2021 is rescaled inside each province so that the population mean is the province's
    headcount of March 2025.
    """
    frame = official.regencies()[["code", "parent_code", "population", "p0_2021"]].copy()
    target = official.provinces().set_index("code")["p0_mar2025"] / 100
    weighted = frame["p0_2021"] * frame["population"]
    level = weighted.groupby(frame["parent_code"]).sum() / frame.groupby("parent_code")["population"].sum()
    frame["target"] = frame["p0_2021"] * frame["parent_code"].map(target / level)
    return frame.drop(columns="p0_2021")


def rural_gap(urban_share: Floats, headcount: Floats, persons: Floats, *, urban: float, rural: float) -> float:
    """Shift of the latent score between rural and urban families, in sds, that splits the national headcount
    into `urban` and `rural` as published. Normal approximation per regency, solved by bisection."""

    def excess(gap: float) -> float:
        low, high = np.full_like(headcount, -6.0), np.full_like(headcount, 6.0)
        for _ in range(60):
            cut = (low + high) / 2
            share = urban_share * stats.norm.cdf(cut) + (1 - urban_share) * stats.norm.cdf(cut + gap)
            low, high = np.where(share < headcount, cut, low), np.where(share < headcount, high, cut)
        rate_urban = np.average(stats.norm.cdf(cut), weights=persons * urban_share)
        rate_rural = np.average(stats.norm.cdf(cut + gap), weights=persons * (1 - urban_share))
        return float(rate_rural / rate_urban - rural / urban)

    return float(optimize.brentq(excess, -1.0, 2.0))
