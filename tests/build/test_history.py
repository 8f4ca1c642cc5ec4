"""Earlier quarters of the demonstration: versions of their own, derived backwards, kept and removed together."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.simulate import history
from dtsen_core.integrate import compare
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import DATABASE, EVALUATION

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def states(small_dataset: Path) -> tuple[versions.Version, ...]:
    return versions.versions(small_dataset)


def test_every_declared_quarter_is_a_version_and_the_newest_is_served(states: tuple[versions.Version, ...]) -> None:
    assert [v.manifest.as_of for v in states[1:]] == [q.as_of.isoformat() for q in history.quarters()]
    assert [v.served for v in states] == [True, False, False, False]
    assert len({v.manifest.build for v in states}) == 1
    for state, quarter in zip(states[1:], history.quarters()):
        assert state.manifest.registry_families == pytest.approx(quarter.families)
        assert state.manifest.model == quarter.model


def test_an_older_state_holds_families_once_and_no_truth(
    small_dataset: Path, states: tuple[versions.Version, ...]
) -> None:
    for state in states[1:]:
        folder = small_dataset / state.folder
        assert not (folder / EVALUATION).exists()
        with duckdb.connect(str(folder / DATABASE), read_only=True) as con:
            counted = con.execute("""SELECT count(*), count(DISTINCT id_keluarga), count(DISTINCT nomor_kartu_keluarga),
                count(*) FILTER (desil_nasional BETWEEN 1 AND 10) FROM keluarga""").fetchall()[0]
            assert set(counted) == {state.manifest.families}
            packed = con.execute("""SELECT count(*) FROM family_packed AS f JOIN keluarga AS k USING (id_keluarga)
                WHERE f.desil_nasional = k.desil_nasional AND f.family_size = k.jumlah_anggota_keluarga
                  AND f.village = k.village""").fetchone()
            assert packed == (state.manifest.families,)
            over = con.execute("SELECT count(*) FROM family_packed WHERE pbi_persons > family_size").fetchone()
            assert over == (0,)


def test_the_further_back_the_more_differs(small_dataset: Path, states: tuple[versions.Version, ...]) -> None:
    now = states[0]
    found = [compare.compare(small_dataset, old, now) for old in states[1:]]
    assert [f.families["new"] for f in found] == sorted(f.families["new"] for f in found)
    assert [f.families["gone"] for f in found] == sorted(f.families["gone"] for f in found)
    assert found[0].families["new"] > 0
    for one in found:  # the change of a whole group of variables shows in each of them
        changed = one.variables.set_index("variable")["changed"]
        assert changed["jenis_lantai_terluas"] > 0
        assert changed["daya_terpasang"] > 0
    # The first ranking used one model for the nation, so far more families moved when it was replaced.
    still = [f.deciles.query("variable == 'desil_nasional' and `class` == 'tetap'")["families"].sum() for f in found]
    assert still[2] < 0.8 * still[1]
