"""``manifest.json``: what a dataset is, without opening it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dtsen_core.errors import UserError

FILE = "manifest.json"
ASIDE = ".manifest-"
PLACES = re.compile(r"\.|versions/[A-Za-z0-9_-][A-Za-z0-9._-]*")
ORIGINS = ("simulated", "real")


@dataclass(frozen=True)
class Manifest:
    """Origin, version and contents of a dataset. `as_of` is the date the data speak of (ISO), `families` and
    `persons` count stored rows, `registry_families`/`registry_persons` what they stand for."""

    origin: str
    version: str
    as_of: str
    created: str
    families: int
    persons: int
    registry_families: float
    registry_persons: float
    seed: int | None = None
    has_sources: bool = False
    has_members: bool = False
    urban_known: bool = False
    survey_households: int = 0
    survey_seed: int | None = None
    model: str = ""
    packing: str = ""
    boundary_hash: str = ""
    code_version: str = ""
    build: str = ""  # names one run of the simulation: its versions share it
    programmes: list[str] = field(default_factory=list)  # whose enrolment the data speak about
    source_mix: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    deliveries: list[dict[str, Any]] = field(default_factory=list)  # of a real dataset: what it was made from
    folder: str = "."  # where the version lies, seen from this manifest

    @property
    def simulated(self) -> bool:
        return self.origin == "simulated"

    def write(self, folder: Path) -> None:
        """Write it into `folder`, replacing another one in a single step."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)
        aside = folder / f"{ASIDE}{os.getpid()}"
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / FILE)


def read(folder: Path) -> Manifest:
    """The manifest of `folder`; UserError when the folder holds no dataset or a damaged one."""
    path = folder / FILE
    if not folder.exists() or not path.exists():
        raise UserError("errors_dataset.missing", path=folder)
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in dataclasses.fields(Manifest)}
        manifest = Manifest(**{key: value for key, value in raw.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise UserError("errors_dataset.damaged", path=folder) from problem
    if manifest.origin not in ORIGINS or not PLACES.fullmatch(str(manifest.folder)):
        raise UserError("errors_dataset.damaged", path=folder)
    return manifest
