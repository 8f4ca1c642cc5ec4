"""The seam between linkage and the golden record: who is who, one row per person of the civil register.

``civil``: one row per person: nik, kk, every column of the civil register, province, code. ``link_<source>``:
one row per person record (P3KE: per family, by its head): file_id, line_from, held, record_nik as delivered,
nik and kk of the civil person it is (NULL: none), pass, probability, and what the choice of family records
needs (id_register, head, same, active, day, region_id).
"""

from __future__ import annotations

from dtsen_core.integrate.link.passes import link_registers as linked

SOURCES = ("regsosek", "dtks", "p3ke")
PERSON_KIND = {"regsosek": "regsosek_anggota", "dtks": "dtks", "p3ke": "p3ke"}
"""Register → layout whose records are persons (P3KE: the head of the family)."""

__all__ = ["PERSON_KIND", "SOURCES", "linked"]
