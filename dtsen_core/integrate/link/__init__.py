"""Record linkage: pairs of records that speak of the same person or thing.

``link_records`` works on any two tables (or finds duplicates within one); ``link_registers`` is the three-pass
linkage of the recipient registers to the civil register.
"""

from __future__ import annotations

from dtsen_core.integrate.link.passes import link_registers
from dtsen_core.integrate.link.records import link_records

__all__ = ["link_records", "link_registers"]
