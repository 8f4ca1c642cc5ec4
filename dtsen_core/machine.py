"""How this process uses the machine: `prepare` before anything else. DuckDB's threads are ``DTSEN_THREADS``."""

from __future__ import annotations

import os
import sys

import numpy  # noqa: F401  (so that there is something to settle)
from threadpoolctl import threadpool_limits

ALGEBRA = "OPENBLAS_NUM_THREADS"
HUGE_PAGES = "NUMPY_MADVISE_HUGEPAGE"


def prepare() -> None:
    """Settle threads and memory for the life of this process; what the environment sets is left as it is."""
    one_thread_for_algebra()
    plain_pages()


def one_thread_for_algebra() -> None:
    """One BLAS thread for this process from now on.

    Our matrices have a few hundred columns: a second thread gains nothing on a quiet machine, and on a busy one
    the two spin waiting for each other (a ridge fit of 514 regencies: 0.9 s with one, 40 s with two).
    """
    if ALGEBRA not in os.environ:
        os.environ[ALGEBRA] = "1"  # for libraries that are loaded later: scipy brings its own
        threadpool_limits(1, user_api="blas")  # for those that are loaded already


def plain_pages() -> None:
    """numpy no longer asks Linux for huge pages, from now on.

    A server that ranks model after model takes and gives back arrays of tens of megabytes. For huge pages the kernel
    then tidies memory while the ranking waits: counting 95 million families took 0.33 to 0.85 s instead of 0.4.
    """
    # numpy reads its variable only while it is loaded, and streamlit has loaded it by now
    settle = getattr(sys.modules.get("numpy._core.multiarray"), "_set_madvise_hugepage", None)
    if HUGE_PAGES not in os.environ and settle is not None:
        settle(False)
