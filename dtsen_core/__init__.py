"""DTSEN dashboard core: collect → integrate & validate → rank → use for policy, with oversight over all of it."""

__version__ = "0.1.0"
