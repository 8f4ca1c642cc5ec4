"""The progress of a build on standard error."""

from __future__ import annotations
