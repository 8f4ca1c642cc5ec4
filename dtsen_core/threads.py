"""Threads of the linear algebra beneath numpy and scipy; DuckDB's are ``DTSEN_THREADS``."""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits

VARIABLE = "OPENBLAS_NUM_THREADS"


def one_for_algebra() -> None:
    """One BLAS thread for this process from now on, unless the environment says otherwise.

    Our matrices have a few hundred columns: a second thread gains nothing on a quiet machine, and on a busy one
    the two spin waiting for each other (a ridge fit of 514 regencies: 0.9 s with one, 40 s with two).
    """
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = "1"  # for libraries that are loaded later: scipy brings its own
        threadpool_limits(1, user_api="blas")  # for those that are loaded already
