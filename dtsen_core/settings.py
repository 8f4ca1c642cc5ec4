"""Settings from the environment (prefix ``DTSEN_``). Imports nothing of the project but paths."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from dtsen_core.paths import DEFAULT_DATASET


class Settings(BaseSettings):
    """``DTSEN_DATASET`` dataset folder; ``DTSEN_THREADS`` DuckDB threads (0 = all cores);
    ``DTSEN_MEMORY_LIMIT`` DuckDB memory limit such as ``4GB`` (empty = DuckDB's default; builds take half of
    the machine's); ``DTSEN_STATE`` folder of what users keep, such as scenarios (empty = beside the dataset);
    ``DTSEN_CACHE`` folder for files derived from datasets whose own folder is closed; ``DTSEN_PROGRAMMES`` folder
    with programme rules of one's own (empty = none)."""

    model_config = SettingsConfigDict(env_prefix="DTSEN_")

    dataset: Path = DEFAULT_DATASET
    threads: int = 0
    memory_limit: str = ""
    state: Path | None = None
    cache: Path | None = None
    programmes: Path | None = None

    @property
    def state_folder(self) -> Path:
        """Where scenarios are kept: ``DTSEN_STATE``, else ``<dataset>-state`` beside the dataset's folder."""
        return self.state or self.dataset.resolve().with_name(f"{self.dataset.resolve().name}-state")


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings()
