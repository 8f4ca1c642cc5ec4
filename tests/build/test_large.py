"""The build of more families than persons are kept for, tried small: same families, each table in order."""

from __future__ import annotations

import numpy as np
import pytest

from dtsen_core.build import demo
from dtsen_core.collect.simulate import programmes
from dtsen_core.rank import arrays, engine, kernel, packing, scorecard
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    patch = pytest.MonkeyPatch()
    patch.setattr(demo, "LARGE", 0)
    out = tmp_path_factory.mktemp("large") / "data"
    demo.build(out, families=20_000, survey_households=25_700)
    patch.undo()
    return Dataset.open(out)


def test_tables_agree_row_by_row(dataset: Dataset) -> None:
    con = dataset.cursor()
    con.execute("CREATE TEMP TABLE again AS " + packing.pack_sql())
    same = " AND ".join(f"a.{c} = f.{c}" for c in (*packing.KEYS, *packing.packing().columns, *packing.OFFICIAL))
    found = con.execute(f"SELECT count(*), count(*) FILTER ({same}), min(f.desil_nasional) FROM again AS a"
                        " POSITIONAL JOIN family_packed AS f").fetchall()  # fmt: skip
    assert found == [(20_000, 20_000, 1)]
    assert con.execute("SELECT count(DISTINCT desil_nasional) FROM keluarga").fetchall() == [(10,)]
    listed = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()}
    assert not listed & {"anggota", "enrolment", "rate_by_group", "sim_keluarga"}
    assert dataset.manifest.families == 20_000


def test_enrolment_meets_the_official_totals(dataset: Dataset) -> None:
    row = (
        dataset.cursor()
        .execute("""SELECT sum(w.weight * pkh), sum(w.weight * sembako), sum(w.weight * pbi_persons)
        FROM family_packed JOIN area_weight AS w USING (regency)""")
        .fetchall()[0]
    )
    rule = programmes.rules()
    for found, name in zip(row, ("pkh", "sembako", "pbi"), strict=True):
        assert found == pytest.approx(rule[name]["total"], rel=0.05)


def test_arrays_come_with_the_build_and_give_the_same_cells(dataset: Dataset) -> None:
    held = arrays.load(dataset.folder)
    assert held is not None
    for name in ("pmt_nasional", "pmt_provinsi"):
        card = scorecard.load(dataset.cursor(), name)
        assert kernel.count(held, card).digest == engine.count(dataset.cursor(), card).digest
    assert np.array_equal(np.diff(held.start) > 0, np.full(len(held.district), True))
