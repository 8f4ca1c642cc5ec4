"""Two families of errors: what a user can mend, and bugs.

A `UserError` says in one sentence what is wrong, where, and how to mend it, in the user's language;
its sentences live in ``data/locale/errors_*.toml``. Anything else that is raised is a bug.
"""

from __future__ import annotations

from dtsen_core import locale


class UserError(Exception):
    """Something the user can mend. `key` names a sentence such as ``errors_dataset.missing``."""

    exit_code = 2

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.params = params

    def message(self, lang: str = "id") -> str:
        return locale.text(self.key, lang, **self.params)

    def __str__(self) -> str:
        return self.message("en")


class InternalError(Exception):
    """A state the code promised cannot happen: a bug, reported with a traceback in the log."""
