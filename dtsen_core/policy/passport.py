"""The passport of a ranking: everything needed to make it again, and to tell whether it is the same.

It names the dataset by version and by a hash of what it holds, the scorecard by the hash of its integer
coefficients (an uploaded one is carried along, so its file is not needed), the parameters, and the version and
hash of the ranking code. The answer itself is named by the hash of H, exact and without order, and by the
figures of all listed areas together.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import json
import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import dtsen_core
from dtsen_core.errors import UserError
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.request import DECILES, OFFICIAL, RankRequest, RankResult
from dtsen_core.policy.welfare import full_ranking
from dtsen_core.rank import engine
from dtsen_core.rank.scorecard import CATEGORIES, PROVINCES, REGENCIES, Scorecard
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import Dataset

FORMAT = 1
CODE_ROOMS = ("rank", "policy", "regions")  # whose source decides what a ranking gives
FIGURES = ("n", "families", "persons", *DECILES, "mean_score", "p0", "p1", "p2", "gini", "mean_expenditure",
           "poor_persons")  # fmt: skip
CLOSE = 1e-9  # relative: sums of floats may differ in their last bits between engines and machines
MAX_CHARACTERS = 5_000_000
MAX_CARD = 20_000_000  # bytes unpacked


@dataclass(frozen=True)
class Passport:
    """`dataset` (version, hash, origin, as_of), `model` (name, hash, and for an uploaded scorecard its content
    as `card`), `parameters` (the fields of `RankRequest`), `code` (version, hash), `answer` (histogram: hash of
    H, empty for the delivered deciles; areas: hash of the listed codes and counts; figures: of all listed areas
    together, None where not computable)."""

    dataset: dict[str, str]
    model: dict[str, str]
    parameters: dict[str, str | bool | float | None]
    code: dict[str, str]
    answer: dict[str, Any]
    format: int = FORMAT

    @property
    def request(self) -> RankRequest:
        return RankRequest(**self.parameters)  # type: ignore[arg-type]

    @property
    def id(self) -> str:
        """Short name of this ranking: the same for the same data, model, parameters and answer."""
        named = {name: value for name, value in self.model.items() if name == "hash"}
        rest = {name: value for name, value in self.parameters.items() if name != "model"}
        return _digest([self.dataset["hash"], named, rest, self.answer["histogram"], self.answer["areas"]])[:12]

    @staticmethod
    def make(dataset: Dataset, request: RankRequest, result: RankResult, *, card: Scorecard | None = None) -> Passport:
        """The passport of `result`, which `full_ranking` gave for `request` (with `card`, if one was handed
        over). H comes from memory. UserError as `full_ranking`."""
        model = {"name": OFFICIAL if request.model == OFFICIAL else Path(request.model).name, "hash": ""}
        histogram = ""
        if request.model != OFFICIAL:
            card = card or scorecard_for(dataset, request.model)
            model["hash"] = card.hash
            if card.origin == "file":
                model["card"] = _packed(card)
            histogram = engine.rank_histogram(dataset, card).digest
        parameters = dataclasses.asdict(request) | {"model": model["name"]}
        return Passport(
            dataset={"version": dataset.version, "hash": dataset_hash(dataset), "origin": dataset.manifest.origin,
                     "as_of": dataset.manifest.as_of},
            model=model, parameters=parameters,
            code={"version": dtsen_core.__version__, "hash": code_hash()},
            answer={"histogram": histogram, "areas": _areas(result), "figures": _figures(result)},
        )  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Passport:
        """The passport in `text`, or in its member ``passport``. UserError when it is none."""
        if len(text) > MAX_CHARACTERS:
            raise UserError("errors_passport.damaged")
        try:
            raw = json.loads(text)
            raw = raw.get("passport", raw)
            found = Passport(**{field.name: raw[field.name] for field in dataclasses.fields(Passport)})
            for name in ("version", "hash", "origin", "as_of"):
                _text(found.dataset[name])
            for name in ("version", "hash"):
                _text(found.code[name])
            for name in ("name", "hash"):
                _text(found.model[name])
            for name in ("histogram", "areas"):
                _text(found.answer[name])
            if not isinstance(found.answer["figures"], dict) or not isinstance(found.model.get("card", ""), str):
                raise TypeError("figures")
            given = set(found.parameters) - {f.name for f in dataclasses.fields(RankRequest)}
            if given or not all(isinstance(v, str | bool | int | float | None) for v in found.parameters.values()):
                raise TypeError("parameters")
            version = int(found.format)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise UserError("errors_passport.damaged") from problem
        if version != FORMAT:
            raise UserError("errors_passport.format", given=version, known=FORMAT)
        found.request  # noqa: B018 - refuses an unknown scope, unit or level here rather than later
        return found

    def card(self) -> Scorecard | None:
        """The uploaded scorecard that the passport carries; None for one stored in the dataset."""
        packed = self.model.get("card")
        return _unpacked(packed, self.model["name"]) if packed else None

    def verify(self, dataset: Dataset) -> Verification:
        """Make the ranking again on `dataset` and compare.

        When `dataset` keeps the version named here beside the one it serves, that version is used. UserError
        when the ranking cannot be made at all (model gone, region unknown).
        """
        chosen = _version(dataset, self.dataset["version"])
        card = self.card()
        result = full_ranking(chosen, self.request, card=card)
        now = Passport.make(chosen, self.request, result, card=card)
        return Verification(self, now, result, tuple(_differences(self, now)))


@dataclass(frozen=True)
class Difference:
    """`field` of the passport ("model.hash", "figures.p0", …), what it says and what was found."""

    field: str
    expected: str | float | None
    found: str | float | None

    @property
    def decisive(self) -> bool:
        """Whether it makes the answer another one; another version of the code or an equal copy of the
        dataset under another name does not by itself."""
        return self.field not in ("code.version", "code.hash", "dataset.version")


@dataclass(frozen=True)
class Verification:
    """`same` when the ranking made now is the one of the passport; `differences` also name what changed
    without changing the answer. `result` and `now` are the new ranking and its passport."""

    passport: Passport
    now: Passport
    result: RankResult
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        return not any(difference.decisive for difference in self.differences)


def dataset_hash(dataset: Dataset) -> str:
    """Hash of what the manifest says about the contents: equal for two builds of the same recipe."""
    m = dataset.manifest
    return _digest([m.origin, m.as_of, m.seed, m.families, m.persons, m.registry_families, m.survey_households,
                    m.packing, m.model, m.files, {k: v for k, v in m.rows.items() if k != "calibration"}])  # fmt: skip


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Hash of the source of `CODE_ROOMS`."""
    found = hashlib.blake2b(digest_size=8)
    root = Path(dtsen_core.__file__).parent
    for room in CODE_ROOMS:
        for file in sorted((root / room).rglob("*.py")):
            found.update(file.relative_to(root).as_posix().encode())
            found.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()


def _version(dataset: Dataset, name: str) -> Dataset:
    if dataset.version == name:
        return dataset
    try:
        found = versions.find(dataset.path, name)
    except UserError:
        return dataset  # a copy under another name may still hold the same
    return Dataset.open(dataset.path / found.folder)


def _differences(before: Passport, now: Passport) -> list[Difference]:
    found = []
    for part in ("dataset", "model", "code"):
        for name in ("version", "hash"):
            old, new = getattr(before, part).get(name), getattr(now, part).get(name)
            if old != new:
                found.append(Difference(f"{part}.{name}", old, new))
    for name in ("histogram", "areas"):
        if before.answer[name] != now.answer[name]:
            found.append(Difference(f"answer.{name}", before.answer[name], now.answer[name]))
    for name in FIGURES:
        old, new = before.answer["figures"].get(name), now.answer["figures"][name]
        if not _close(old, new):
            found.append(Difference(f"figures.{name}", old, new))
    return found


def _close(a: object, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return isinstance(a, int | float) and math.isclose(a, b, rel_tol=CLOSE, abs_tol=1e-12)


def _figures(result: RankResult) -> dict[str, float | None]:
    values = {name: float(result.total[name].iat[0]) for name in FIGURES}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _areas(result: RankResult) -> str:
    """Hash of the listed areas: codes, rows, and weighted decile counts to a thousandth of a family."""
    counts = np.rint(result.areas[["families", "persons", *DECILES]].to_numpy(np.float64) * 1e4)
    rows = result.areas["n"].tolist()
    # rounded first, so that noise in the last bits does not move a whole number to the thousandth below
    return _digest([result.areas["code"].tolist(), rows, (counts // 10).astype(np.int64).tolist()])


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _text(value: object) -> None:
    if not isinstance(value, str):
        raise TypeError("text expected")


def _packed(card: Scorecard) -> str:
    """Coefficients and intercepts as little-endian integers, compressed."""
    parts = (card.coefficients.astype("<i4").tobytes(), card.area.astype("<i4").tobytes())
    return base64.b64encode(zlib.compress(b"".join(parts), 9)).decode()


def _unpacked(packed: str, name: str) -> Scorecard:
    try:
        opener = zlib.decompressobj()
        raw = opener.decompress(base64.b64decode(packed, validate=True), MAX_CARD)
        values = np.frombuffer(raw, "<i4").astype(np.int32)
        sets, rest = divmod(len(values) - REGENCIES * 3, CATEGORIES)
        if rest or sets not in (1, PROVINCES, REGENCIES):
            raise ValueError("size")
    except (ValueError, binascii.Error, zlib.error) as problem:
        raise UserError("errors_passport.damaged") from problem
    cut = sets * CATEGORIES
    return Scorecard(name, "file", values[:cut].reshape(sets, CATEGORIES), values[cut:].reshape(REGENCIES, 3))
