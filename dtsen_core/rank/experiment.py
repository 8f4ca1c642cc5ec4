"""A scorecard changed by a planner: indicators dropped, groups of indicators weighted up or down.

An experiment is written as one short text, ``base~drop=a,b~refit~weight=aset:150``, which names it everywhere a
model's name is taken (page, address, command line, passport), so that it ranks, caches and reproduces like any other
model.

With m the mean coefficient of an indicator over the families (of the province, where coefficients differ by province)
a category's coefficient c becomes ``m + w·(c − m)``; w is the group's weight in per cent, and 0 for a dropped
indicator. So the mean score stays where it is, and a dropped question moves no family for having answered it. The
other coefficients are kept, unless the experiment says ``refit``: then the base is a method, fitted anew on the
survey without the dropped indicators, so that the questions which remain take over what they can.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from dtsen_core.errors import UserError
from dtsen_core.rank.order import GROUPS
from dtsen_core.rank.scorecard import OFFSETS, Scorecard, Shares
from dtsen_core.registry.indicators import INDICATORS

FULL, MOST = 100, 200  # per cent
_PARTS = re.compile(r"~(?=(?:drop|weight)=|refit(?:~|$))")
REFIT = "refit"
_NAMES = tuple(i.name for i in INDICATORS)


@dataclass(frozen=True)
class Experiment:
    """`base`: name of a stored model, ``indeks`` or the path of a scorecard file; `dropped`: indicator names in the
    order of the code list; `weights`: (group, per cent) of groups that do not count in full; `refit`: the base is
    fitted again without the dropped indicators."""

    base: str
    dropped: tuple[str, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    refit: bool = False

    @staticmethod
    def of(base: str, dropped: Iterable[str] = (), weights: Mapping[str, float] | None = None,
           refit: bool = False) -> Experiment:  # fmt: skip
        """A checked experiment; `weights` in per cent, 0 to 200; `refit` counts only where something is dropped.
        UserError names every unknown indicator or group with near misses, and weights out of range."""
        chosen, given = set(dropped), dict(weights or {})
        for name in chosen - set(_NAMES):
            near = ", ".join(difflib.get_close_matches(name, _NAMES, n=3, cutoff=0.4)) or "–"
            raise UserError("errors_lab.indicator", given=name, near=near)
        for group, weight in given.items():
            if group not in GROUPS:
                raise UserError("errors_lab.group", given=group, known=", ".join(GROUPS))
            if not 0 <= weight <= MOST:  # also refuses NaN
                raise UserError("errors_lab.weight", given=weight, group=group)
        if len(chosen) == len(_NAMES) or all(given.get(group, FULL) == 0 for group in GROUPS):
            raise UserError("errors_lab.nothing_left")
        kept = tuple((group, round(given[group])) for group in GROUPS if round(given.get(group, FULL)) != FULL)
        return Experiment(base, tuple(name for name in _NAMES if name in chosen), kept, refit and bool(chosen))

    @staticmethod
    def parse(model: str) -> Experiment:
        """The experiment that `model` names; a plain model is an experiment without changes. UserError if a part
        cannot be read."""
        base, *parts = _PARTS.split(model)
        dropped: list[str] = []
        weights: dict[str, float] = {}
        refit = REFIT in parts
        for part in parts:
            kind, _, listed = part.partition("=")
            for entry in filter(None, listed.split(",")):
                if kind == "drop":
                    dropped.append(entry)
                    continue
                group, _, weight = entry.partition(":")
                if not re.fullmatch(r"[0-9]{1,3}", weight):
                    raise UserError("errors_lab.weight", given=weight[:20] or "–", group=group[:40])
                weights[group] = int(weight)
        return Experiment.of(base, dropped, weights, refit)

    @property
    def changed(self) -> bool:
        return bool(self.dropped or self.weights)

    @property
    def name(self) -> str:
        """The text that `parse` reads."""
        found = self.base
        if self.dropped:
            found += "~drop=" + ",".join(self.dropped)
        if self.refit:
            found += f"~{REFIT}"
        if self.weights:
            found += "~weight=" + ",".join(f"{group}:{weight}" for group, weight in self.weights)
        return found

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of the dropped indicators in the code list."""
        return tuple(_NAMES.index(name) for name in self.dropped)

    def factor(self, position: int) -> float:
        """Weight of the indicator at `position`, 1 = as in the base."""
        indicator = INDICATORS[position]
        if indicator.name in self.dropped:
            return 0.0
        return dict(self.weights).get(indicator.group, FULL) / FULL

    def apply(self, card: Scorecard, shares: Shares) -> Scorecard:
        """`card` so changed, in whole thousandths. `shares` (1 or 38, CATEGORIES): families in each category."""
        if not self.changed:
            return card
        result = card.coefficients.astype(np.float64)
        load = shares if len(shares) == card.sets else shares.sum(axis=0, keepdims=True)
        means = means_of(card, load)
        for position, indicator in enumerate(INDICATORS):
            factor = self.factor(position)
            if factor == 1.0:
                continue
            span = slice(OFFSETS[position], OFFSETS[position] + indicator.radix)
            mean = means[:, position, None]
            result[:, span] = mean + factor * (result[:, span] - mean)
        return Scorecard(self.name, card.origin, np.rint(result).astype(np.int32), card.area)


def means_of(card: Scorecard, shares: Shares) -> np.ndarray:
    """Mean coefficient of each indicator over the families, thousandths, shape (sets, 39); plain mean where no
    family is. `shares` as `Experiment.apply`, or of one set."""
    load = np.broadcast_to(shares if len(shares) in (1, card.sets) else shares.sum(axis=0, keepdims=True),
                           card.coefficients.shape)  # fmt: skip
    found = np.zeros((card.sets, len(INDICATORS)))
    for position, indicator in enumerate(INDICATORS):
        span = slice(OFFSETS[position], OFFSETS[position] + indicator.radix)
        part, weight = card.coefficients[:, span], load[:, span]
        total = weight.sum(axis=1)
        mean = (part * weight).sum(axis=1) / np.where(total > 0, total, 1)
        found[:, position] = np.where(total > 0, mean, part.mean(axis=1))
    return found
