"""The laboratory of a dataset: models fitted on demand, kept in a side folder beside its versions.

``<dataset>/lab/<version>/`` holds one file per result, keyed by what it was made with; every file is written aside
and renamed, so a reader sees a whole one or none. Where the dataset's folder is closed, the files go to the
temporary folder of the machine. Removing ``lab`` loses nothing that cannot be computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from dtsen_core.errors import UserError
from dtsen_core.rank import design, laboratory, packing, scorecard
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.design import Products, Survey
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.laboratory import Fitted
from dtsen_core.rank.methods import methods
from dtsen_core.rank.scorecard import Scorecard
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

Tell = Callable[[float], None]
REFITS_KEPT = 40  # fits without some indicators; older files make room
RECIPE = "1"  # raised when a fit changes its meaning, so that older files are not read
FOLDER = "lab"
STALE_S = 3600.0
REFITTED = "tanpa_"


def silent(done: float) -> None:
    """Hears progress and says nothing."""


@dataclass(frozen=True, eq=False)
class Bench:
    """The survey and its normal equations, read once."""

    survey: Survey
    products: list[Products]
    shares: npt.NDArray[np.float64]


_bench: Cache[Bench] = Cache(1, lambda value: 1)
_fitted: Cache[Fitted] = Cache(12, lambda value: 1)


def has_survey(dataset: Dataset) -> bool:
    """Whether models can be fitted on this dataset."""
    return dataset.has_table("survey")


def bench(dataset: Dataset, tell: Tell = silent) -> Bench:
    """Survey and normal equations of `dataset`; UserError where it has no survey."""
    if not has_survey(dataset):
        raise UserError("errors_keandalan.no_survey")

    def make() -> Bench:
        with threadpool_limits(1):
            survey = design.read_survey(dataset.cursor())
            products = design.cross_products(survey, tell)
        return Bench(survey, products, scorecard.category_shares(dataset.cursor()))

    return _bench.get((str(dataset.path), dataset.version), make)


@lru_cache(maxsize=8)
def folder(root: Path, version: str) -> Path:
    """Where results about `version` of the dataset at `root` are kept; made when missing."""
    name = _called(version)
    place = root / FOLDER / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            return place
    except OSError:
        pass
    digest = hashlib.blake2b(str(root).encode(), digest_size=6).hexdigest()
    place = Path(tempfile.gettempdir()) / f"dtsen-lab-{os.getuid() if hasattr(os, 'getuid') else 0}-{digest}" / name
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def _called(version: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in version)


def sweep(root: Path) -> None:
    """Remove results about versions that are gone, and what runs that died left; to be called by whoever holds the
    build lock of `root`. A file a living process is writing is younger than `STALE_S`."""
    place = root / FOLDER
    if not place.is_dir():
        return
    kept = {_called(manifest.version) for manifest in versions.held(root)}
    for found in place.iterdir():
        if found.name not in kept:
            shutil.rmtree(found, ignore_errors=True)
            continue
        for aside in found.glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - aside.stat().st_mtime > STALE_S:
                    aside.unlink()


def place_of(dataset: Dataset, name: str, *made_with: object, ending: str) -> Path:
    """The file of result `name` made with the parameters `made_with`."""
    said = "|".join([RECIPE, packing.packing().hash, name, *map(repr, made_with)])
    digest = hashlib.blake2b(said.encode(), digest_size=6).hexdigest()
    return folder(dataset.path, dataset.version) / f"{name}-{digest}.{ending}"


def write_aside(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file and give it its name in one step."""
    aside = target.with_name(f".{secrets.token_hex(4)}-{target.name}")
    aside.parent.mkdir(parents=True, exist_ok=True)  # swept, perhaps, while a visitor stood on a version now gone
    try:
        write(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def frame(dataset: Dataset, name: str, make: Callable[[], pd.DataFrame], *made_with: object) -> pd.DataFrame:
    """The kept table `name`, made once per version and parameters."""
    target = place_of(dataset, name, *made_with, ending="parquet")
    if not target.exists():
        found = make()
        write_aside(target, lambda path: found.to_parquet(path, index=False))
    return pd.read_parquet(target)


def has_frame(dataset: Dataset, name: str, *made_with: object) -> bool:
    """Whether that table was made already."""
    return place_of(dataset, name, *made_with, ending="parquet").exists()


def _model_file(dataset: Dataset, name: str, dropped: tuple[int, ...] = ()) -> Path:
    if dropped:
        return place_of(dataset, f"{REFITTED}{name}", methods()[name], dropped, ending="npz")
    return place_of(dataset, name, methods()[name], ending="npz")


def is_fitted(dataset: Dataset, name: str) -> bool:
    """Whether the laboratory holds model `name` of this version."""
    return name in methods() and has_survey(dataset) and _model_file(dataset, name).exists()


def available(dataset: Dataset) -> list[str]:
    """Every fitted scorecard that can be chosen at once: those stored in the dataset, then those fitted in the
    laboratory, each in the order of ``models.toml``; never one fitted on simulated households for real families."""
    origins = scorecard.origins(dataset.cursor())
    allowed = [name for name, origin in origins.items() if origin != "simulated" or dataset.simulated]
    listed = list(methods())
    stored = sorted(allowed, key=lambda name: listed.index(name) if name in listed else len(listed))
    if not has_survey(dataset):
        return stored
    return [*stored, *(name for name in listed if name not in stored and _model_file(dataset, name).exists())]


def to_be_fitted(dataset: Dataset) -> list[str]:
    """Declared models that `fitted` would have to fit first; empty where the dataset has no survey."""
    if not has_survey(dataset):
        return []
    ready = available(dataset)
    return [name for name in methods() if name not in ready]


def fitted(dataset: Dataset, name: str, tell: Tell = silent, plan: Experiment | None = None) -> Fitted:
    """Model `name` of ``data/rules/models.toml``, fitted now unless it was before; without the indicators that `plan`
    drops, if it is given.

    UserError for an unknown name and for a dataset without a survey.
    """
    if name not in methods():
        raise UserError("errors_rank.unknown_model", model=name, known=", ".join(methods()))
    dropped = plan.positions if plan else ()
    target = _model_file(dataset, name, dropped)
    called = Experiment.of(name, plan.dropped, refit=True).name if plan else name

    def make() -> Fitted:
        if not target.exists():
            base = bench(dataset, lambda done: tell(0.3 * done))
            with threadpool_limits(1):
                found = laboratory.fit_model(
                    base.survey, base.products, methods()[name], base.shares, dataset.manifest.origin,
                    lambda done: tell(0.3 + 0.7 * done), dropped,
                )  # fmt: skip
            write_aside(target, lambda path: _write(path, found))
            if dropped:
                _make_room(target.parent)
        return _read(target, called)

    return _fitted.get((str(dataset.path), dataset.version, target.name), make)


def refitted(dataset: Dataset, plan: Experiment, tell: Tell = silent) -> Fitted:
    """The base of `plan`, fitted without the indicators that it drops. UserError where the base is no method of fitting
    or the dataset has no survey to fit on."""
    if plan.base not in methods():
        raise UserError("errors_lab.refit_base", known=", ".join(methods()))
    if not has_survey(dataset):
        raise UserError("errors_lab.refit_survey")
    return fitted(dataset, plan.base, tell, plan)


def can_refit(dataset: Dataset, base: str) -> bool:
    """Whether `base` is a method that can be fitted again on this dataset's survey."""
    return base in methods() and has_survey(dataset)


def must_fit(dataset: Dataset, model: str) -> bool:
    """Whether `model`, which may be an experiment, can be fitted here and has not been."""
    plan = Experiment.parse(model)
    if not can_refit(dataset, plan.base):
        return False
    if plan.refit:
        return not _model_file(dataset, plan.base, plan.positions).exists()
    return plan.base in to_be_fitted(dataset)


def fit(dataset: Dataset, model: str, tell: Tell = silent) -> Fitted:
    """What `model`, which may be an experiment, stands on: its base, or its base without the dropped indicators.

    UserError as `fitted` and `refitted`."""
    plan = Experiment.parse(model)
    return refitted(dataset, plan, tell) if plan.refit else fitted(dataset, plan.base, tell)


def _make_room(place: Path) -> None:
    kept = sorted(place.glob(f"{REFITTED}*.npz"), key=lambda file: file.stat().st_mtime)
    for old in kept[:-REFITS_KEPT]:
        old.unlink(missing_ok=True)


def _write(path: Path, found: Fitted) -> None:
    with path.open("wb") as file:
        np.savez_compressed(
            file, coefficients=found.card.coefficients, area=found.card.area, origin=found.card.origin,
            heldout=found.heldout.astype(np.float32), whole=found.whole.astype(np.float32), se=found.se,
            psu_sd=found.psu_sd, tuning=np.array(found.tuning),
        )  # fmt: skip


def _read(path: Path, name: str) -> Fitted:
    with np.load(path, allow_pickle=False) as kept:
        return Fitted(
            card=Scorecard(name, str(kept["origin"]), kept["coefficients"], kept["area"]),
            heldout=kept["heldout"].astype(np.float64), whole=kept["whole"].astype(np.float64), se=kept["se"],
            psu_sd=kept["psu_sd"], tuning=tuple(kept["tuning"].tolist()),
        )  # fmt: skip


def residual_columns(dataset: Dataset, name: str, plan: Experiment | None = None) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of ``model_residual`` of a model of the laboratory; `plan` as for `fitted`."""

    def make() -> pd.DataFrame:
        survey = bench(dataset).survey
        return fitted(dataset, name, plan=plan).residual_table(survey).drop(columns="model")

    if plan is not None:  # quick to make, and there may be many of them
        table = make()
        return {column: table[column].to_numpy() for column in table.columns}
    table = frame(dataset, f"sisa_{name}", make, methods()[name])
    return {column: table[column].to_numpy() for column in table.columns}


def indicator_names() -> list[str]:
    return [indicator.name for indicator in INDICATORS]
