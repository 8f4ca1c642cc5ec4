from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from dtsen_core.errors import UserError
from dtsen_core.rank import scorecard
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES, neutral
from dtsen_core.rank.scorecard_file import ScorecardProblems, from_csv, to_csv
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS
from tests.rank.synthetic import at, random_card

FLOOR = INDICATORS[1].name
ASSETS = [i.name for i in INDICATORS if i.group == "aset"][:5]
MERGED = next(c for c in INDICATORS[1].categories if c.merges)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "kartu.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("sets", [1, PROVINCES])
def test_a_saved_scorecard_comes_back_unchanged(sets: int) -> None:
    con = duckdb.connect()
    card = random_card(np.random.default_rng(1), sets)
    scorecard.save(con, card, "pmt")
    scorecard.save(con, card, "pmt")
    back = scorecard.load(con, card.name)
    assert (back.hash, back.origin, scorecard.names(con)) == (card.hash, card.origin, [card.name])


def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    con = duckdb.connect()
    with pytest.raises(UserError) as unknown:
        scorecard.load(con, "pmt")
    assert "pmt" in unknown.value.message("id")
    assert "resmi" in unknown.value.message("en")


def test_a_lookup_table_holds_the_sum_of_its_group() -> None:
    from dtsen_core.rank.packing import packing

    card = random_card(np.random.default_rng(2), 2)
    group = packing().groups[3]
    table = card.lookup(group)
    assert table.shape == (2, group.codes)
    for code in (0, 7, group.codes - 1):
        rest, expected = code, np.zeros(2, dtype=int)
        for member in group.members:
            expected += card.coefficients[:, OFFSETS[member] + rest % INDICATORS[member].radix]
            rest //= INDICATORS[member].radix
        assert table[:, code].tolist() == expected.tolist()


def test_a_missing_answer_takes_the_weighted_mean_of_the_others() -> None:
    values = np.zeros((1, CATEGORIES))
    shares = np.zeros((1, CATEGORIES))
    house = INDICATORS[0]
    for code, value, load in ((1, 0.4, 3.0), (2, -0.2, 1.0)):
        values[0, at(house.name, code)], shares[0, at(house.name, code)] = value, load
    filled = neutral(values, shares)
    assert filled[0, at(house.name, 0)] == pytest.approx((0.4 * 3 - 0.2) / 4)
    plain = neutral(values, None)
    assert plain[0, at(house.name, 0)] == pytest.approx(0.2 / 5)


def test_a_merged_class_takes_the_weighted_mean_of_its_fine_classes() -> None:
    values, shares = np.zeros((1, CATEGORIES)), np.zeros((1, CATEGORIES))
    for number, code in enumerate(MERGED.merges):
        values[0, at(FLOOR, code)], shares[0, at(FLOOR, code)] = number, 2.0**number
    loads = 2.0 ** np.arange(len(MERGED.merges))
    expected = (np.arange(len(MERGED.merges)) * loads).sum() / loads.sum()
    assert neutral(values, shares)[0, at(FLOOR, MERGED.code)] == pytest.approx(expected)


def test_reading_a_file(tmp_path: Path) -> None:
    card = from_csv(
        write(
            tmp_path,
            f"""variable,category,coefficient
intercept,,13.5
daerah,perkotaan,0.1
daerah,perdesaan,-0.1
{FLOOR},1,0.25
{FLOOR},{MERGED.value.upper()},0.2
aset_bergerak_mobil,ya,0.4
""",
        )
    )
    assert card.origin == "file"
    assert card.sets == 1
    assert card.coefficients[0, at(FLOOR, 1)] == 250
    assert card.coefficients[0, at(FLOOR, MERGED.code)] == 200
    assert card.coefficients[0, at("aset_bergerak_mobil", 1)] == 400
    assert card.coefficients[0, at("aset_bergerak_mobil", 2)] == 0
    assert card.coefficients[0, at("aset_bergerak_mobil", 0)] == 200
    assert card.area[17].tolist() == [13_500, 13_600, 13_400]


def test_only_the_merged_class_listed_gives_its_value_to_the_fine_ones(tmp_path: Path) -> None:
    card = from_csv(write(tmp_path, f"variable,category,coefficient\n{FLOOR},{MERGED.value},0.3\n"))
    assert {int(card.coefficients[0, at(FLOOR, code)]) for code in MERGED.merges} == {300}


def test_a_file_by_province(tmp_path: Path) -> None:
    rows = "".join(f"aset_bergerak_ac,ya,{0.1 * n},{code}\nintercept,,{14 + n},{code}\n"
                   for n, code in enumerate(("11", "32")))  # fmt: skip
    card = from_csv(write(tmp_path, "variable;category;coefficient;province\n" + rows.replace(",", ";")))
    assert card.sets == PROVINCES
    west_java = 11
    assert card.coefficients[west_java, at("aset_bergerak_ac", 1)] == 100
    assert card.area[scorecard.province_of_regency() == west_java].max() == 15_000


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"""variable,category,coefficient
jenis_lantai_terlus,1,0.1
{FLOOR},bambu emas,0.1
{FLOOR},1,banyak
{FLOOR},2,0.1
{FLOOR},2,0.2
intercept,x,1
""",
    )
    with pytest.raises(ScorecardProblems) as found:
        from_csv(path)
    assert [key for key, _ in found.value.problems] == [
        "scorecard_variable", "scorecard_category", "scorecard_number", "scorecard_repeated", "scorecard_intercept",
    ]  # fmt: skip
    for lang in ("id", "en"):
        message = found.value.message(lang)
        assert FLOOR in message
        assert message.count("\n- ") == 5


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "scorecard_columns"),
        ("variable,category\n", "scorecard_columns"),
        ("variable,category,coefficient\n", "scorecard_empty"),
        ("variable,category,coefficient,province\nintercept,,1,99\n", "scorecard_province"),
        ("variable,category,coefficient,province\nintercept,,1,32\nintercept,,1,\n", "scorecard_province_missing"),
        ("variable,category,coefficient\naset_bergerak_ac,ya,100\n", "scorecard_range"),
        ("variable,category,coefficient\naset_bergerak_ac,ya,nan\n", "scorecard_number"),
        ("variable,category,coefficient\naset_bergerak_ac,,0.1\n", "scorecard_category_empty"),
        ("variable,category,coefficient\naset_bergerak_mobil,ya,-0.2\n", "scorecard_sign"),
        ("variable,category,coefficient\nijazah_kepala,tanpa,0\nijazah_kepala,SD,0.1\nijazah_kepala,SMP,0.1\n"
         "ijazah_kepala,SMA,0.2\nijazah_kepala,S1+,0.4\n", "scorecard_gap"),
        ("variable,category,coefficient\n" + "".join(f"{name},ya,10\n" for name in ASSETS), "scorecard_scale"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ScorecardProblems) as found:
        from_csv(write(tmp_path, text))
    assert key in [k for k, _ in found.value.problems]
    assert found.value.message("id") != found.value.message("en")


def test_the_complete_example_is_accepted_and_one_line_less_is_told(tmp_path: Path) -> None:
    from dtsen_core.present.peringkat import example_scorecard

    lines = example_scorecard().decode("utf-8-sig").splitlines()
    from_csv(write(tmp_path, "\n".join(lines)))
    gone = next(line for line in lines if line.startswith("jenis_kloset,3"))
    with pytest.raises(ScorecardProblems) as found:
        from_csv(write(tmp_path, "\n".join(line for line in lines if line != gone)))
    assert found.value.problems == [("scorecard_gap", {"variable": "jenis_kloset", "missing": "3"})]


def test_fifty_megabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "besar.csv"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(ScorecardProblems) as found:
        from_csv(path)
    assert [key for key, _ in found.value.problems] == ["scorecard_size"]


def test_a_missing_or_binary_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError) as missing:
        from_csv(tmp_path / "tidak-ada.csv")
    assert missing.value.key == "errors_rank.scorecard_missing"
    binary = tmp_path / "biner.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ScorecardProblems):
        from_csv(binary)


def test_simulated_models_are_refused_on_real_data() -> None:
    card = random_card(np.random.default_rng(1), 1)
    card.guard("simulated")
    with pytest.raises(UserError):
        card.guard("real")
    assert card.area.shape == (REGENCIES, 3)


def test_a_scorecard_by_regency_is_stored_and_read_back() -> None:
    con = duckdb.connect()
    rng = np.random.default_rng(11)
    for sets in (1, 38, 514):
        card = random_card(rng, sets, name=f"kartu{sets}")
        scorecard.save(con, card, "uji")
        assert scorecard.load(con, card.name).hash == card.hash


def ordered_card(rng: np.random.Generator, sets: int) -> scorecard.Scorecard:
    """A scorecard along the declared directions, with coefficients and areas of its own in every set."""
    from dtsen_core.rank.order import index_card

    base = index_card(None).coefficients
    coefficients = (base * rng.integers(1, 4, (sets, 1)) + rng.integers(-3, 3, (sets, 1))).astype(np.int32)
    area = rng.integers(12_000, 14_000, (REGENCIES, 3)).astype(np.int32)
    return scorecard.Scorecard("kartu", "real", coefficients, area)


@pytest.mark.parametrize("sets", [1, PROVINCES, REGENCIES])
def test_a_written_scorecard_is_read_back_exactly(tmp_path: Path, sets: int) -> None:
    card = ordered_card(np.random.default_rng(sets), sets)
    to_csv(card, tmp_path / "kartu.csv")
    back = from_csv(tmp_path / "kartu.csv")
    assert np.array_equal(back.coefficients, card.coefficients)
    assert np.array_equal(back.area, card.area)
    assert back.origin == "file"


def test_semicolons_may_have_decimal_commas(tmp_path: Path) -> None:
    card = from_csv(write(tmp_path, f"variable;category;coefficient\nintercept;;13,25\n{ASSETS[0]};1;0,125\n"))
    assert card.area.min() == card.area.max() == 13_250
    assert card.coefficients.max() == 125


def test_intercepts_may_differ_by_regency_alone(tmp_path: Path) -> None:
    card = from_csv(write(tmp_path, "variable,category,coefficient,regency\nintercept,,13,3201\nintercept,,12,3202\n"
                                    f"{ASSETS[0]},1,0.125,\n"))  # fmt: skip
    assert card.sets == 1
    place = {code: n for n, code in enumerate(units.table("regency")["code"])}
    assert card.area[place["3201"]].tolist() == [13_000] * 3
    assert card.area[place["3202"]].tolist() == [12_000] * 3
    assert card.area[place["1101"]].tolist() == [0] * 3


@pytest.mark.parametrize(("row", "key"), [
    ("intercept,,13,,9999", "scorecard_regency"), ("intercept,,13,11,3201", "scorecard_regency_elsewhere"),
    ("intercept,,13,,3201", "scorecard_repeated"),
])  # fmt: skip
def test_a_wrong_regency_is_told(tmp_path: Path, row: str, key: str) -> None:
    text = f"variable,category,coefficient,province,regency\nintercept,,13,,3201\n{row}\n"
    with pytest.raises(ScorecardProblems) as refused:
        from_csv(write(tmp_path, text))
    assert [name for name, _ in refused.value.problems] == [key]
    assert "3" in refused.value.message("id")


@pytest.mark.parametrize(("text", "keys"), [
    ("variable,category,coefficient\nintercept,,13\ndaerah,perkotaan,0.1\n", ["scorecard_flat"]),
    ("variable,category,coefficient,provinsi\nintercept,,13,32\n", ["scorecard_column_near"]),
    ("variable,category,category,province,province\n",
     ["scorecard_columns", "scorecard_column_twice", "scorecard_column_twice"]),
    ("variable,category,coefficient,catatan\nintercept,,x,lihat\n", ["scorecard_number"]),
])  # fmt: skip
def test_columns_and_empty_scorecards_are_told(tmp_path: Path, text: str, keys: list[str]) -> None:
    with pytest.raises(ScorecardProblems) as refused:
        from_csv(write(tmp_path, text))
    assert [key for key, _ in refused.value.problems] == keys
    for lang in ("id", "en"):
        assert len(refused.value.message(lang).splitlines()) == 1 + len(keys)


def test_tabs_are_read_as_semicolons_are(tmp_path: Path) -> None:
    card = from_csv(write(tmp_path, f"variable\tcategory\tcoefficient\nintercept\t\t13\n{ASSETS[0]}\t1\t0,125\n"))
    assert card.coefficients.max() == 125
