"""Real files become versions: nothing lost, nothing twice, and what is not spoken of stays."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.build import update
from dtsen_core.collect.quarantine import export_quarantine
from dtsen_core.collect.simulate import delivered
from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.integrate.compare import compare
from dtsen_core.integrate.lineage import find_family, lineage, member_lineage
from dtsen_core.locale import text
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(small_dataset: Path) -> Path:
    return Dataset.open(small_dataset).folder / "sources"


@pytest.fixture(scope="module")
def regencies(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("delivered")
    found = {}
    for code in ("3171", "3173", "1101"):
        made = delivered.write_delivered(Dataset.open(small_dataset).cursor(), folder / code, "kemendagri", code)
        found[code] = [made["keluarga"], made["anggota"]]
    return found


def whole(report: dict[str, Any]) -> None:
    for file in report["files"]:
        assert file["read"] == file["header"] + file["blank"] + file["accepted"] + file["quarantined"]
        assert file["quarantined"] == sum(file["reasons"].values())


def rows(root: Path, query: str) -> list[tuple[Any, ...]]:
    return Dataset.open(root).cursor().execute(query).fetchall()


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.fixture(scope="module")
def registers(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Civil register, then two others: the golden record stands."""
    root = tmp_path_factory.mktemp("registers") / "data"
    first = update.ingest("dukcapil", [sources / "dukcapil.csv"], root, as_of=dt.date(2025, 2, 5))
    assert (first["families"], first["persons"], first["unchanged"]) == (0, 0, False)
    second = update.ingest("regsosek", [sources / "regsosek_keluarga.txt", sources / "regsosek_anggota.txt"], root)
    whole(second)
    assert second["families"] > 18_000
    third = update.ingest("dtks", [sources / "dtks.txt"], root, as_of=dt.date(2026, 1, 31))
    whole(third)
    assert third["as_of"] == "2026-01-31"
    assert third["families"] > second["families"]
    assert 0.8 < third["matched"]["dtks"]["matched"] / third["matched"]["dtks"]["records"] <= 1
    return root


def test_registers_one_after_the_other_give_the_golden_record(registers: Path, small_dataset: Path) -> None:
    """The same cards, persons and answers as from the same files at once (P3KE apart)."""
    mine = dict(rows(registers, "SELECT nomor_kartu_keluarga, jumlah_anggota_keluarga FROM keluarga"))
    at_once = dict(rows(small_dataset, """SELECT nomor_kartu_keluarga, jumlah_anggota_keluarga FROM keluarga
        WHERE is_dtks OR is_regsosek"""))  # fmt: skip
    assert set(mine) <= set(at_once)
    assert len(mine) > 0.995 * len(at_once)
    assert all(at_once[card] == size for card, size in mine.items())
    accounts = rows(registers, "SELECT path, source FROM ingest_file ORDER BY source")
    assert [path for path, _ in accounts] == [
        "dtks.txt", "dukcapil.csv", "regsosek_anggota.txt", "regsosek_keluarga.txt"]  # fmt: skip
    history = versions.versions(registers)
    assert [v.manifest.families > 0 for v in history] == [True, True, False]
    assert len(list((registers / "store").iterdir())) == 4


def test_the_same_file_twice_changes_nothing(registers: Path, sources: Path, tmp_path: Path) -> None:
    before = everything(registers)
    copied = tmp_path / "another name.txt"
    copied.write_bytes((sources / "dtks.txt").read_bytes())
    report = update.ingest("dtks", [copied], registers)
    assert report["unchanged"]
    whole(report)
    assert report["files"][0]["accepted"] > 0
    assert report["version"] == versions.versions(registers)[0].name
    assert everything(registers) == before


def test_a_trial_leaves_nothing(registers: Path, sources: Path, tmp_path: Path) -> None:
    before = everything(registers)
    report = update.ingest("p3ke", [sources / "p3ke.csv"], registers, dry_run=True)
    whole(report)
    assert report["dry_run"]
    assert report["version"] is None
    assert report["families"] >= versions.versions(registers)[0].manifest.families
    assert everything(registers) == before
    assert update.ingest("p3ke", [sources / "p3ke.csv"], tmp_path / "new" / "d", dry_run=True)["files"]
    assert list(tmp_path.iterdir()) == []


def test_a_trial_works_beside_the_versions_only(
    registers: Path, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People's data lie nowhere else, so that the next run removes what a killed trial left."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: set[str] = set()
    update.ingest("p3ke", [sources / "p3ke.csv"], registers, dry_run=True,
                  progress=lambda event: seen.update(everything(registers)))  # fmt: skip
    assert [name for name in seen if versions.BUILDING in name and name.endswith("dtsen.duckdb")]
    assert list(tmp_path.iterdir()) == []


def test_files_may_be_given_in_any_order(regencies: dict[str, list[Path]], tmp_path: Path) -> None:
    families, members = regencies["1101"]
    one, other = (
        update.ingest("dtsen", given, tmp_path / "d", dry_run=True)
        for given in ([families, members], [members, families])
    )
    assert [file["path"] for file in other["files"]] == [str(families), str(members)]
    assert {**other, "files": one["files"]} == one
    lines = ("read", "accepted", "quarantined")
    assert [[file[name] for name in lines] for file in other["files"]] == [
        [file[name] for name in lines] for file in one["files"]
    ]
    foreign = tmp_path / "lain.csv"
    foreign.write_text("a;b\n1;2\n")
    for given, told in (([members, members], "errors_ingest.same_file"), ([members], "errors_ingest.file_count")):
        with pytest.raises(UserError) as refused:
            update.ingest("dtsen", given, tmp_path / "d", dry_run=True)
        assert refused.value.key == told
    with pytest.raises(UserError, match=foreign.name):
        update.ingest("dtsen", [foreign, families], tmp_path / "d", dry_run=True)


def test_a_first_ingest_that_died_before_serving_keeps_its_raw_files(
    regencies: dict[str, list[Path]], tmp_path: Path
) -> None:
    root = tmp_path / "data"
    update.ingest("dtsen", regencies["3171"], root)
    (root / "manifest.json").unlink()
    report = update.ingest("dtsen", regencies["1101"], root)
    assert Dataset.open(root).version == report["version"]
    kept = {path.name for path in (root / "store").iterdir()}
    assert kept == {f"{f['hash']}{f['ext']}" for m in versions.held(root) for d in m.deliveries for f in d["files"]}
    assert len(kept) == 4


def test_a_regency_is_replaced_and_the_others_stay(regencies: dict[str, list[Path]], tmp_path: Path) -> None:
    root = tmp_path / "data"
    update.ingest("dtsen", regencies["3171"], root, as_of=dt.date(2025, 9, 1))
    both = update.ingest("dtsen", regencies["3173"], root, as_of=dt.date(2025, 12, 1))
    whole(both)
    assert both["regencies"]["carried"] > 0
    counted = dict(rows(root, "SELECT kode_kabupaten_kota, count(*) FROM keluarga GROUP BY 1"))
    assert set(counted) == {"3171", "3173"}
    # The next delivery of 3171: a family less, and a family of 3173 has moved there.
    lines = regencies["3171"][0].read_text(encoding="latin-1").split("\n")
    people = regencies["3171"][1].read_text(encoding="latin-1").split("\n")
    other = regencies["3173"][0].read_text(encoding="latin-1").split("\n")
    names = lines[0].split("|")
    card = names.index("nomor_kartu_keluarga")
    gone = lines[1].split("|")[card]
    mover = other[1].split("|")[card]
    arrived = lines[2].split("|")
    arrived[card] = mover
    moved_people = [row for row in regencies["3173"][1].read_text(encoding="latin-1").split("\n") if mover in row]
    new = [tmp_path / "keluarga.txt", tmp_path / "anggota.txt"]
    new[0].write_text("\n".join([lines[0], *lines[2:-1], "|".join(arrived), ""]), encoding="latin-1")
    left = [row for row in people[:-1] if gone not in row]
    new[1].write_text("\n".join([*left, *moved_people, ""]), encoding="latin-1")
    report = update.ingest("dtsen", new, root, as_of=dt.date(2026, 3, 1))
    assert report["regencies"] == {"carried": counted["3173"] - 1, "replaced": counted["3171"], "moved": 1}
    after = dict(rows(root, "SELECT kode_kabupaten_kota, count(*) FROM keluarga GROUP BY 1"))
    assert after == {"3171": counted["3171"], "3173": counted["3173"] - 1}
    assert rows(root, "SELECT count(*) - count(DISTINCT nomor_induk_kependudukan) FROM anggota") == [(0,)]
    assert rows(root, "SELECT count(*) FROM anggota ANTI JOIN keluarga USING (id_keluarga)") == [(0,)]
    ids = rows(root, "SELECT min(id_keluarga), max(id_keluarga) + 1, count(DISTINCT id_keluarga) FROM keluarga")
    assert ids == [(0, len(lines) - 2 + counted["3173"] - 1, sum(after.values()))]
    cursor = Dataset.open(root).cursor()
    found = lineage(cursor, find_family(cursor, mover), "jenis_lantai_terluas")
    assert (found.rule, found.source, found.path, found.line) == ("delivered", "dtsen", "keluarga.txt", len(lines) - 1)
    stayed = other[2].split("|")[card]
    number = find_family(cursor, stayed)
    traced = lineage(cursor, number, "luas_lantai")
    assert traced.path is not None
    assert traced.path.startswith("dtsen_keluarga~")  # the name is taken: the first delivery had it
    assert traced.line == 3
    assert {one.rule for one in member_lineage(cursor, number, "nama")} == {"delivered"}
    newest, before, _ = versions.versions(root)
    difference = compare(root.resolve(), before, newest)
    assert (difference.families["gone"], difference.families["new"], difference.families["moved"]) == (1, 0, 1)
    assert difference.deciles.query("variable == 'desil_nasional'")["families"].sum() == difference.families["same"]
    assert difference.regencies["moved_in"].sum() == difference.regencies["moved_out"].sum() == 1


def test_a_delivery_comes_back_when_the_switch_goes_back(regencies: dict[str, list[Path]], tmp_path: Path) -> None:
    root = tmp_path / "data"
    first = update.ingest("dtsen", regencies["1101"], root)
    second = update.ingest("dtsen", regencies["3171"], root)
    versions.switch(root, first["version"])
    assert rows(root, "SELECT count(*) FROM keluarga") == [(first["families"],)]
    again = update.ingest("dtsen", regencies["3171"], root)
    assert not again["unchanged"]
    assert again["families"] == second["families"]
    assert len({v.name for v in versions.versions(root)}) == len(versions.versions(root))


def spoilt(source: Path, out: Path, cells: dict[int, dict[str, str]]) -> list[str]:
    """Write `source` to `out` with some cells changed (row of the file → column → text); returns the header."""
    lines = source.read_text(encoding="latin-1").splitlines()
    names = lines[0].split("|")
    for row, texts in cells.items():
        old = dict(zip(names, lines[row].split("|")))
        lines[row] = "|".join((old | texts).values())
    out.write_text("\n".join([*lines, ""]), encoding="latin-1")
    return names


def mended(root: Path, kind: str, out: Path, cells: dict[str, str]) -> list[dict[str, str]]:
    """The exported quarantine of `kind` with every wrong cell that `cells` names put right again."""
    export_quarantine(Dataset.open(root).cursor(), out, kind)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: cells.get(name, text) if text in WRONG else text for name, text in row.items()}
                         for row in rows)  # fmt: skip
    return rows


WRONG = {"99", "1101990000", "12", "BUKAN DESA"}


def test_corrected_records_of_a_delivery_find_their_way_back(
    regencies: dict[str, list[Path]], tmp_path: Path
) -> None:
    """A family with two faults, whose members then have no family, and a member with three in a family that stands."""
    root = tmp_path / "data"
    families, members = tmp_path / "keluarga.txt", tmp_path / "anggota.txt"
    source = [path.read_text(encoding="latin-1").splitlines() for path in regencies["1101"]]
    family = dict(zip(source[0][0].split("|"), source[0][1].split("|")))
    place = {name: family[name] for name in ("kode_kelurahan_desa", "kelurahan_desa")}
    spoilt(regencies["1101"][0], families, {
        1: {"jenis_lantai_terluas": "99", "kode_kelurahan_desa": "1101990000", "kelurahan_desa": "BUKAN DESA"}})
    names = source[1][0].split("|")
    people = [dict(zip(names, line.split("|"))) for line in source[1][1:]]
    card, nik = "nomor_kartu_keluarga", "nomor_induk_kependudukan"
    alone = next(n for n, one in enumerate(people, 1) if one[card] != family[card])
    person = people[alone - 1]
    spoilt(regencies["1101"][1], members, {alone: {nik: "12", "tanggal_lahir": "99", "status_kawin": "99"}})
    first = update.ingest("dtsen", [families, members], root)
    whole(first)
    household = sum(one[card] == family[card] for one in people)
    assert [file["quarantined"] for file in first["files"]] == [1, household + 1]
    found = dict(rows(root, "SELECT line_from, reasons FROM quarantine WHERE source = 'dtsen_anggota' AND checked"))
    assert found.pop(alone + 1) == ["tanggal_tak_sah", "kode_tak_dikenal", "nik_tak_sah"]
    assert set(map(tuple, found.values())) == {("tanpa_keluarga",)}
    assert rows(root, "SELECT reasons FROM quarantine WHERE source = 'dtsen_keluarga'") == [
        (["kode_tak_dikenal", "wilayah_tak_dikenal"],)
    ]

    # Two of three faults mended: the one that is left is named, and nothing has changed.
    out = [tmp_path / "karantina_keluarga.csv", tmp_path / "karantina_anggota.csv"]
    right = {name: person[name] for name in (nik, "tanggal_lahir", "status_kawin")}
    assert len(mended(root, "dtsen_anggota", out[1], right | {"status_kawin": "99"})) == household + 1
    before = everything(root)
    with pytest.raises(UserError) as refusal:
        update.ingest("dtsen", [out[1]], root)
    assert text("integrate.kode_tak_dikenal", "id") in refusal.value.message("id")
    assert text("integrate.nik_tak_sah", "id") not in refusal.value.message("id")
    with pytest.raises(UserError) as refusal:
        update.ingest("dtsen", [families, out[1]], root)
    assert refusal.value.key == "errors_ingest.mixed_correction"
    with pytest.raises(UserError) as refusal:
        update.ingest("dtsen", [members], root)
    assert everything(root) == before

    # All of the member's faults mended: it joins its family, the others of the family stay.
    mended(root, "dtsen_anggota", out[1], right)
    second = update.ingest("dtsen", [out[1]], root)
    whole(second)
    assert (second["files"][0]["accepted"], second["files"][0]["quarantined"]) == (1, household)
    assert second["families"] == first["families"]
    assert rows(root, "SELECT count(*) FROM anggota") == [(len(people) - household,)]
    joined = rows(root, f"""SELECT k.{card} FROM anggota a JOIN keluarga k USING (id_keluarga)
        WHERE a.{nik} = '{person[nik]}'""")  # fmt: skip
    assert joined == [(person[card],)]
    assert len(rows(root, f"SELECT 1 FROM anggota WHERE {card} = '{person[card]}'")) == sum(
        one[card] == person[card] for one in people
    )
    cursor = Dataset.open(root).cursor()
    assert {one.path for one in member_lineage(cursor, find_family(cursor, person[card]), "nama")} == {
        "anggota.txt", "karantina_anggota.csv"}  # fmt: skip

    # The family comes with its members, beside the record that stands by now.
    mended(root, "dtsen_keluarga", out[0], place | {"jenis_lantai_terluas": family["jenis_lantai_terluas"]})
    third = update.ingest("dtsen", out, root)
    whole(third)
    assert third["files"][1]["reasons"] == {"nik_ganda": 1}
    assert third["families"] == first["families"] + 1
    assert rows(root, "SELECT count(*) FROM anggota") == [(len(people),)]
    # Every record of the first delivery that was set aside is closed: its correction stands, or its correction's did.
    delivered_first = "path IN ('keluarga.txt', 'anggota.txt')"
    assert rows(root, f"SELECT count(*) FROM quarantine WHERE mended_by IS NULL AND {delivered_first}") == [(0,)]
    of_card = f"SELECT count(*) FROM anggota JOIN keluarga k USING (id_keluarga) WHERE k.{card} = '{family[card]}'"
    assert rows(root, of_card) == [(household,)]


def test_services_speak_of_families_that_stand(regencies: dict[str, list[Path]], tmp_path: Path) -> None:
    root = tmp_path / "data"
    update.ingest("dtsen", regencies["3171"], root)
    people = rows(root, """SELECT a.nomor_induk_kependudukan, a.id_keluarga, a.pbi_nas FROM anggota a
        JOIN keluarga k USING (id_keluarga) WHERE a.pbi_nas IS NOT NULL AND k.sumber_penerangan_utama = 1
        ORDER BY id_anggota LIMIT 30""")
    insured, unpaid = people[0], people[-1]

    def write(name: str, header: list[str], lines: list[list[object]]) -> Path:
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="|").writerows([header, *lines])
        return tmp_path / name

    flag = 1 if insured[2] == 2 else 2
    stranger = "3171010101019999"
    segment = "PBI (APBN)" if flag == 1 else "PPU"
    report = update.ingest("bpjs", [write("bpjs.txt", ["NIK", "NAMA", "SEGMEN", "STATUS"], [
        [insured[0], "A", segment, "AKTIF"], [stranger, "B", "PBI APBD", "AKTIF"]])], root)  # fmt: skip
    whole(report)
    assert report["matched"]["bpjs"] == {"records": 2, "matched": 1}
    cursor = Dataset.open(root).cursor()
    nik, family, delivered_flag = insured
    found = next(one for one in member_lineage(cursor, family, "pbi_nas") if one.source == "bpjs")
    assert (found.value, found.rule, found.path, found.line) == (str(flag), "service", "bpjs.txt", 2)
    assert [(loser.value, loser.source, loser.reason) for loser in found.losers] == [
        (str(delivered_flag), "dtsen", "service")
    ]
    card = rows(root, "SELECT nomor_kartu_keluarga FROM keluarga ORDER BY id_keluarga DESC LIMIT 1")[0][0]
    nobody = "3171010101010009"
    paid = [
        [nik, nobody, "PKH", "2025Q4", "", 750000, "BERHASIL"],
        [unpaid[0], nobody, "Program Keluarga Harapan", "Triwulan III 2025", "", 600000, ""],
        [stranger, nobody, "PKH", "2025Q4", "", 1, ""], [nik, nobody, "Bantuan lain", "2025Q4", "", 1, ""],
        [nik, nobody, "PKH", "2026Q1", "", 750000, "GAGAL SALUR"],
        [stranger, card, "BPNT", "TAHAP 1", 2026, 200000, ""],
    ]  # fmt: skip
    header = ["NIK", "NO_KK", "PROGRAM", "TAHAP", "TAHUN", "NILAI", "STATUS"]
    report = update.ingest("programme", [write("pkh.txt", header, paid)], root)
    assert report["matched"]["programme"] == {"records": 6, "matched": 3}
    assert rows(root, "SELECT program, quarter, persons, amount FROM enrolment ORDER BY quarter") == [
        ("pkh", "2025Q3", 1, 600000.0), ("pkh", "2025Q4", 1, 750000.0),
        ("sembako", "2026Q1", 1, 200000.0)]  # fmt: skip
    assert rows(root, "SELECT sum(pkh) FROM family_packed") == [(1,)]
    assert "pkh" in Dataset.open(root).manifest.programmes
    report = update.ingest("pln", [write("pln.txt", ["IDPEL", "NIK", "NAMA", "DAYA"], [
        ["520012345678", unpaid[0], "C", 1300], ["520099999999", stranger, "D", 900]])], root)  # fmt: skip
    assert report["matched"]["pln"] == {"records": 2, "matched": 1}
    cursor = Dataset.open(root).cursor()
    number = rows(root, f"SELECT id_keluarga FROM anggota WHERE nomor_induk_kependudukan = '{unpaid[0]}'")[0][0]
    meter = lineage(cursor, number, "id_pelanggan_pln")
    assert (meter.value, meter.source, meter.path, meter.line) == ("520012345678", "pln", "pln.txt", 2)
    # What earlier services said still stands, once.
    assert [one.value for one in member_lineage(cursor, family, "pbi_nas") if one.source == "bpjs"] == [str(flag)]
    assert rows(root, "SELECT count(*) FROM losing_value WHERE variable = 'pbi_nas'") == [(1,)]
    assert rows(root, "SELECT count(*) FROM enrolment") == [(3,)]


def test_two_deliveries_of_one_register_in_two_code_systems(sources: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    update.ingest("dukcapil", [sources / "dukcapil.csv"], root)
    raw = (sources / "dtks.txt").read_bytes().split(b"\n")
    half = len(raw) // 2
    parts = [tmp_path / "dtks_1.txt", tmp_path / "dtks_2.txt"]
    parts[0].write_bytes(b"\n".join(raw[:half]) + b"\n")
    parts[1].write_bytes(b"\n".join([raw[0], *raw[half:]]))
    for part in parts:
        whole(update.ingest("dtks", [part], root))
    files = dict(rows(root, "SELECT path, accepted FROM ingest_file WHERE source = 'dtks'"))
    assert set(files) == {"dtks_1.txt", "dtks_2.txt"}
    traced = dict(rows(root, """SELECT path, count(*) FROM source_record JOIN source_file USING (path_id)
        WHERE source_record.source = 'dtks' GROUP BY path"""))  # fmt: skip
    assert set(traced) == set(files)


def test_refusals_leave_the_dataset_as_it_was(
    registers: Path, small_dataset: Path, regencies: dict[str, list[Path]], tmp_path: Path
) -> None:
    before = everything(registers)
    wrong = tmp_path / "salah.txt"
    wrong.write_text("apa|ini\n1|2\n", encoding="utf-8")
    for kind in ("dtks", "pln", "bpjs", "programme", "dukcapil"):
        with pytest.raises(UserError) as problem:
            update.ingest(kind, [wrong], registers)
        assert "salah.txt" in problem.value.message("id")
    assert everything(registers) == before
    with pytest.raises(UserError) as problem:
        update.ingest("dtsen", regencies["3171"], small_dataset)
    assert problem.value.key == "errors_dataset.other_origin"
    with pytest.raises(UserError):
        update.ingest("dtsen", regencies["3171"], small_dataset, dry_run=True)
    with pytest.raises(UserError):
        update.ingest("susenas", [wrong], registers)
    assert not (small_dataset / "store").exists()


def test_a_decision_of_the_review_counts_in_the_next_run(registers: Path) -> None:
    pairs = rows(registers, """SELECT pair_id, nik FROM review_pair p
        JOIN anggota a ON a.nomor_induk_kependudukan = p.nik ORDER BY probability DESC, pair_id LIMIT 1""")  # fmt: skip
    assert pairs
    decided = "SELECT count(*) FROM person_record WHERE pass = 'decision'"
    before = rows(registers, decided)[0][0]
    review.decide(registers, pairs[0][0], "same", version=Dataset.open(registers).version)
    try:
        report = update.relink(registers)
        assert report["files"] == []
        assert rows(registers, decided)[0][0] > before
        assert Dataset.open(registers).version == report["version"]
    finally:
        review.store_path(registers).unlink()


def test_nothing_to_link_is_a_sentence(regencies: dict[str, list[Path]], tmp_path: Path) -> None:
    update.ingest("dtsen", regencies["1101"], tmp_path / "data")
    with pytest.raises(UserError) as problem:
        update.relink(tmp_path / "data")
    assert problem.value.key == "errors_dataset.nothing_to_link"
