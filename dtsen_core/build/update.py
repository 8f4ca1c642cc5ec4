"""Real files become a new version of a dataset: what it holds, and the new files.

Nothing is changed in place: the new version is made aside from the kept raw files and the new ones, and
served in one step. Files the dataset already holds change nothing. Simulated and real never mix.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dtsen_core.build import derive, lock, store
from dtsen_core.build.progress import Listener, Progress, silent
from dtsen_core.collect import accounting, corrections
from dtsen_core.collect.layouts import layout
from dtsen_core.collect.physical import open_source
from dtsen_core.collect.quarantine import export_quarantine
from dtsen_core.collect.readers import Progress as Step
from dtsen_core.errors import UserError
from dtsen_core.integrate import carry, delivered, golden, quality, review, services, survey, trace
from dtsen_core.integrate.golden import account, families, reading
from dtsen_core.integrate.golden.reading import SourceFile
from dtsen_core.integrate.registers import REGISTERS, check_files, refuse_useless
from dtsen_core.rank import fit
from dtsen_core.registry import ddl, limits, versions
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry.catalog import has
from dtsen_core.registry.dataset import DATABASE, Dataset, explained, new_dataset, refuse_foreign, stamp
from dtsen_core.registry.manifest import Manifest

DTSEN = "dtsen"
KINDS: dict[str, tuple[str, ...]] = {
    **REGISTERS, **{name: (name,) for name in services.SERVICES},
    DTSEN: (delivered.FAMILIES, delivered.MEMBERS), survey.KIND: (survey.KIND,),
}  # fmt: skip
"""Kinds of files and their layouts, in the order in which the files are named."""
RECIPIENTS = frozenset({"dtks", "regsosek", "p3ke"})
SHARES = {"read": 70, "indicators": 25, "finish": 5}
COUNTED = ("read", "header", "blank", "accepted", "quarantined")
PATHS = ("ingest_file", "quarantine", "joined_record", "correction", "source_file", "rule_finding", "review_pair")


@dataclass
class _Work:
    """One ingest: where the dataset is, what it holds, and what comes in."""

    root: Path
    held: Manifest | None
    kind: str
    paths: list[Path]
    delivery: dict[str, Any]
    as_of: dt.date
    database: Path | None = None
    counts: list[dict[str, Any]] = field(default_factory=list)
    matched: dict[str, Any] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)

    def deliveries(self) -> list[dict[str, Any]]:
        coming = [self.delivery] if self.delivery["files"] else []
        return [*(self.held.deliveries if self.held else []), *coming]

    def files(self, *kinds: str) -> list[SourceFile]:
        """Every file of `kinds`, each content once: kept ones from the store, new ones where they lie."""
        found: dict[tuple[str, str], SourceFile] = {}
        for number, delivery in enumerate(self.deliveries()):
            new = delivery is self.delivery
            for place, file in enumerate(delivery["files"]):
                if delivery["kind"] in kinds and (file["layout"], file["hash"]) not in found:
                    path = self.paths[place] if new else store.kept(self.root, file)
                    found[file["layout"], file["hash"]] = SourceFile(file["layout"], path, delivery["codes"], number)
        return list(found.values())

    def shown(self) -> list[tuple[str, str]]:
        """(path as read, name shown in the accounts) of every file."""
        pairs = []
        for delivery in self.deliveries():
            new = delivery is self.delivery
            for place, file in enumerate(delivery["files"]):
                kept = self.root / versions.STORE / f"{file['hash']}{file['ext']}"
                pairs.append((str(self.paths[place] if new else kept), file["shown"]))
        return pairs

    def corrected(self) -> bool:
        """Do the new files come from an export of the quarantine? Then they add to a regency.

        UserError if only some of them do: whole files replace a regency, and corrected records alone are no regency.
        """
        found = [_is_export(path, file["layout"]) for path, file in zip(self.paths, self.delivery["files"])]
        if any(found) and not all(found):
            mixed = self.paths[found.index(True)]
            raise UserError("errors_ingest.mixed_correction", path=mixed, other=self.paths[found.index(False)])
        return all(found)

    def has_kind(self, kind: str) -> bool:
        return any(delivery["kind"] == kind for delivery in self.deliveries())


def ingest(
    kind: str, files: Sequence[Path | str], root: Path | str, *, codes: str | None = None,
    as_of: dt.date | None = None, dry_run: bool = False, progress: Listener = silent,
    corrections: Path | None = None, lang: str = "id",
) -> dict[str, Any]:  # fmt: skip
    """Make a new version of the real dataset at `root` (new, if there is none) with `files` of `kind`.

    `dtsen` takes the family and the member file of one or more regencies, in any order, and replaces those regencies
    (exports of the quarantine that were corrected, one or both, add to them). A register (`dtks`, `regsosek`, `p3ke`,
    `dukcapil`) adds to what the dataset holds of it, and as soon as the civil register and one other are
    there, the golden record is made. `pln`, `bpjs` and `programme` speak of families that stand. `codes`
    confirms the code system; `as_of` is the date the data speak of (default: today). `dry_run` reports and
    leaves nothing. What is set aside of the new files is written into the folder `corrections`, if one is given, as
    exports with reasons in `lang`, ready to be corrected (``exports`` in the report names them).

    Returns ``files`` (the account of each new file in physical lines: path, read, header, blank, accepted,
    quarantined, reasons, every_reason, …), ``version``, ``as_of``, ``matched`` (per source: records, matched),
    ``families``, ``persons``, ``unchanged``, ``dry_run`` and, for `dtsen`, ``regencies`` (carried, replaced, moved).
    UserError for anything wrong with the files or the place; InternalError if a line goes missing.
    """
    if kind not in KINDS:
        raise UserError("errors_ingest.unknown_kind", kind=kind, allowed=", ".join(KINDS))
    target = Path(root).resolve()
    paths = _in_order(kind, [Path(file) for file in files])
    told = Progress(SHARES, progress)
    if dry_run:
        refuse_foreign(target, "real")
        work = _prepare(target, kind, paths, codes, as_of)
        if work is None:
            return _unchanged(target, kind, paths, dry_run=True)
        # Beside the versions: people's data lie nowhere else, and the next run removes what a killed one left.
        with explained(target), versions.building(target) as place:
            manifest = _make(work, place, told)
            _export(work, place / DATABASE, corrections, lang)
        return _report(work, manifest, dry_run=True)
    with lock.exclusive(target):
        refuse_foreign(target, "real")
        store.sweep(target)
        work = _prepare(target, kind, paths, codes, as_of)
        if work is None:
            return _unchanged(target, kind, paths, dry_run=False)
        fresh = not target.exists()
        try:
            with new_dataset(target, "real") as folder:
                manifest = _make(work, folder, told)
                _export(work, folder / DATABASE, corrections, lang)
                with told.stage("finish"):
                    for path, file in zip(work.paths, work.delivery["files"]):
                        store.keep(target, path, file)
                    manifest.write(folder)
        except BaseException:
            store.sweep(target)
            if fresh:
                with contextlib.suppress(OSError):
                    target.rmdir()
            raise
    return _report(work, manifest, dry_run=False)


def relink(root: Path | str, *, progress: Listener = silent) -> dict[str, Any]:
    """Integrate what the dataset at `root` holds once more, with the decisions of the review made since.

    Returns the report of `ingest` without files. UserError when there is no golden record to make.
    """
    target = Path(root).resolve()
    told = Progress(SHARES, progress)
    with lock.exclusive(target):
        refuse_foreign(target, "real")
        held = manifests.read(target)
        kinds = {delivery["kind"] for delivery in held.deliveries}
        if DTSEN in kinds or "dukcapil" not in kinds or not RECIPIENTS & kinds:
            raise UserError("errors_dataset.nothing_to_link", path=target)
        last = held.deliveries[-1]
        day = dt.date.fromisoformat(held.as_of)
        work = _Work(target, held, last["kind"], [], {**last, "files": []}, day)
        with new_dataset(target, "real") as folder:
            manifest = _make(work, folder, told)
            manifest.write(folder)
    return _report(work, manifest, dry_run=False)


def _prepare(root: Path, kind: str, paths: list[Path], codes: str | None, as_of: dt.date | None) -> _Work | None:
    """What there is to do; None when the dataset already holds all of it."""
    held = manifests.read(root) if (root / manifests.FILE).exists() else None
    layouts = _layouts(kind, paths, held)
    hashes = [store.digest(path) for path in paths]
    known = _known(held, kind)
    if all(found in known for found in hashes):
        return None
    if len(KINDS[kind]) == 1:  # parts of one register: those already held are not read twice
        fresh = [n for n, found in enumerate(hashes) if found not in known and found not in hashes[:n]]
        paths, layouts = [paths[n] for n in fresh], [layouts[n] for n in fresh]
        hashes = [hashes[n] for n in fresh]
    if held is not None and not held.deliveries and not held.families:
        raise UserError("errors_dataset.no_deliveries", path=root)
    taken = [file["shown"] for delivery in (held.deliveries if held else []) for file in delivery["files"]]
    taken += list(held.files) if held else []
    day = as_of or dt.datetime.now(dt.UTC).date()
    delivery = {
        "kind": kind, "codes": codes, "as_of": day.isoformat(),
        "received": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "files": store.described(paths, layouts, hashes, taken),
    }  # fmt: skip
    database = root / held.folder / DATABASE if held is not None else None
    return _Work(root, held, kind, paths, delivery, day, database)


def _known(held: Manifest | None, kind: str) -> set[str]:
    if held is None:
        return set()
    if not held.deliveries:  # made before deliveries were kept
        return set(held.files.values())
    return {file["hash"] for d in held.deliveries if d["kind"] == kind for file in d["files"]}


def _layouts(kind: str, paths: list[Path], held: Manifest | None) -> list[str]:
    """The layout of each file. A single file of a register in two parts (a corrected one, say) is recognised
    by its header if the dataset holds that register; of delivered families or members only corrected ones may come
    alone. UserError for a file that cannot be of this kind, before anything is done with what the dataset holds."""
    expected = KINDS[kind]
    if len(expected) > len(paths) == 1 and held and any(d["kind"] == kind for d in held.deliveries):
        found = _recognised(paths[0], expected)
        if kind != DTSEN or _is_export(paths[0], found):
            return [found]
    check_files(kind, expected, paths)
    layouts = list(expected) if len(expected) > 1 else [expected[0]] * len(paths)
    if kind != survey.KIND:  # whose files have a reader of their own
        for path, name in zip(paths, layouts):
            open_source(path, layout(name))
    return layouts


def _in_order(kind: str, files: list[Path]) -> list[Path]:
    """`files` in the order of their kind's layouts, as their headers tell; as given where they do not (what is wrong is
    said later)."""
    expected = KINDS[kind]
    if len(expected) > 1:
        with contextlib.suppress(UserError):
            found = [_recognised(file, expected) for file in files]
            if sorted(found) == sorted(expected):
                return [files[found.index(name)] for name in expected]
    return files


def _is_export(path: Path, name: str) -> bool:
    return bool(open_source(path, layout(name)).origin)


def _recognised(path: Path, layouts: Sequence[str]) -> str:
    refused: UserError | None = None
    for name in layouts:
        try:
            open_source(path, layout(name))
            return name
        except UserError as problem:
            refused = refused or problem
    assert refused is not None
    raise refused


def _make(work: _Work, folder: Path, told: Progress) -> Manifest:
    """The database of the new version in `folder`, complete and checked; returns its manifest."""
    con = duckdb.connect(str(folder / DATABASE))
    try:
        limits.bound(con)
        with told.stage("read") as step:
            _read(con, work, step)
        with told.stage("indicators"):
            known = derive.derive(con, work.as_of)
            if has(con, "survey"):
                fit.fit_models(con, origin="real")
        manifest = derive.manifest(con, work.kind, work.as_of, known, work.deliveries())
        stamp(con, manifest.version)
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return manifest


def _export(work: _Work, database: Path, folder: Path | None, lang: str) -> None:
    """Export what the new files have in quarantine, one file per layout, into `folder`."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(duckdb.connect(str(database), read_only=True)) as con:
        for name in dict.fromkeys(file["layout"] for file in work.delivery["files"]):
            shown = [file["shown"] for file in work.delivery["files"] if file["layout"] == name]
            found = con.execute("SELECT count(*) FROM quarantine WHERE source = ? AND list_contains(?, path)",
                                [name, shown]).fetchall() if has(con, "quarantine") else [(0,)]  # fmt: skip
            if found[0][0]:
                target = folder / f"karantina_{name}.csv"
                export_quarantine(con, target, name, lang=lang, files=shown)
                work.exports.append(str(target))


def _read(con: duckdb.DuckDBPyConnection, work: _Work, step: Step) -> None:
    """Families and persons: delivered whole, or made from the registers; then what the services know."""
    whole = work.has_kind(DTSEN) or bool(work.held and work.held.families and not work.held.deliveries)
    corrected = False
    held = [kind for kind in REGISTERS if work.has_kind(kind)]
    files = work.files(*held)
    if work.kind == DTSEN:
        given = {file["layout"]: path for path, file in zip(work.paths, work.delivery["files"])}
        corrected = work.corrected()
        found = delivered.ingest_delivered(
            given.get(delivered.FAMILIES), given.get(delivered.MEMBERS), con, codes=work.delivery["codes"],
            standing=work.database if corrected else None, progress=step,
        )  # fmt: skip
        work.counts = list(found["files"])  # type: ignore[call-overload]
    else:
        con.execute(ddl.create_table("keluarga"))
        con.execute(ddl.create_table("anggota"))
        con.execute(reading.SOURCE_FILE)
        trace.create_tables(con)
    made = "dukcapil" in held and bool(RECIPIENTS & set(held)) and not whole
    if made:
        review.load_decisions(work.root, con)
        counts = golden.integrate(con, files=files, as_of=work.as_of, progress=step)
    else:
        kinds = [name for kind in held for name in KINDS[kind]]
        counts = golden.read_files(con, files, kinds=kinds, progress=step, temporary=False)
    asked = [kind for kind in services.SERVICES if work.has_kind(kind)]
    counts += golden.read_files(con, work.files(*asked), kinds=asked)
    new = {str(path) for path in work.paths}
    fresh = [count for count in counts if count.path in new]
    refuse_useless(fresh)
    work.counts += [count.report() for count in fresh]
    _name_files(con, work)
    if whole and work.database is not None:
        work.carried = carry.carry(con, work.database, replace=not corrected)
    corrections.close(con)
    for service in asked:
        work.matched[service] = services.apply(con, service)
    if "bpjs" in asked:
        families.family_sums(con)
    if not made:
        quality.write(con, work.as_of)
    for service in asked:
        for table in (f"source_{service}", f"source_{service}_held", f"source_{service}_region"):
            con.execute(f"DROP TABLE IF EXISTS {table}")
    account.check_lines(con)
    _survey(con, work)
    work.matched = _matched(con) | work.matched


def _survey(con: duckdb.DuckDBPyConnection, work: _Work) -> None:
    """Table ``survey`` from every survey file the dataset holds."""
    files = [(file.path, file.codes) for file in work.files(survey.KIND)]
    if not files:
        return
    accounts = survey.write(con, files)
    shown = dict(work.shown())
    for account_ in accounts:
        con.execute("DELETE FROM ingest_file WHERE path = ? AND source = ?", [shown[account_["path"]], survey.KIND])
        con.execute(
            """INSERT INTO ingest_file BY NAME SELECT ? AS path, ? AS source, ? AS read, ? AS header, ? AS blank,
            ? AS accepted, ? AS quarantined""",
            [shown[account_["path"]], *(account_[k] for k in ("source", *COUNTED))],
        )
    new = {str(path) for path in work.paths}
    work.counts += [account_ for account_ in accounts if account_["path"] in new]


def _name_files(con: duckdb.DuckDBPyConnection, work: _Work) -> None:
    """In the accounts files have names, not places of this machine."""
    con.execute("CREATE OR REPLACE TEMP TABLE shown_file (path VARCHAR, name VARCHAR)")
    con.executemany("INSERT INTO shown_file VALUES (?, ?)", [list(pair) for pair in dict(work.shown()).items()])
    for table in PATHS:
        if has(con, table):
            con.execute(f"UPDATE {table} AS t SET path = s.name FROM shown_file s WHERE t.path = s.path")
    con.execute("DROP TABLE shown_file")


def _matched(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Per recipient register of a golden record: its records, held ones included, those found to be a person of
    the civil register, and how many ended in each pass."""
    found: dict[str, Any] = {}
    if not has(con, "match_summary"):
        return found
    for source, ended, records in con.execute("""SELECT source, pass, sum(records)::BIGINT FROM match_summary
            WHERE source <> 'dukcapil' GROUP BY ALL ORDER BY ALL""").fetchall():  # fmt: skip
        entry = found.setdefault(source, {"records": 0, "matched": 0, "passes": {}})
        entry["records"] += records
        entry["matched"] += 0 if ended in ("none", "review") else records
        entry["passes"][ended] = records
    return found


def _report(work: _Work, manifest: Manifest, *, dry_run: bool) -> dict[str, Any]:
    return {
        "files": work.counts, "version": None if dry_run else manifest.version, "as_of": manifest.as_of,
        "matched": work.matched, "families": manifest.families, "persons": manifest.persons, "unchanged": False,
        "dry_run": dry_run, **({"regencies": work.carried} if work.carried else {}),
        **({"exports": work.exports} if work.exports else {}),
    }  # fmt: skip


def _unchanged(root: Path, kind: str, paths: list[Path], *, dry_run: bool) -> dict[str, Any]:
    """The report of files that the served version already holds: their account as it stands there."""
    manifest = manifests.read(root)
    names = {file["hash"]: file["shown"] for d in manifest.deliveries if d["kind"] == kind for file in d["files"]}
    names |= {found: name for name, found in manifest.files.items() if found not in names}
    accounts = []
    with contextlib.closing(Dataset.open(root).cursor()) as con:
        every = accounting.EVERY if has(con, "quarantine", "reasons") else accounting.MAIN
        for path in paths:
            shown = names[store.digest(path)]
            cursor = con.execute("SELECT * FROM ingest_file WHERE path = ?", [shown])
            columns = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                file = dict(zip(columns, row))
                told = {
                    name: accounting.lines_by_reason(con, expression, shown, file["source"])
                    for name, expression in (("reasons", accounting.MAIN), ("every_reason", every))
                }
                accounts.append({**file, "path": str(path), **told})
    return {
        "files": accounts, "version": manifest.version, "as_of": manifest.as_of, "matched": {},
        "families": manifest.families, "persons": manifest.persons, "unchanged": True, "dry_run": dry_run,
    }  # fmt: skip
