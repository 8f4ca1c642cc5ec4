"""Invented tables with known truth that no constant of the linkage was chosen on: the held-out check.

People live in households that share surname and address, among them twins; places of business share streets. A
regime says how a second telling of a record goes wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = {
    "given": "given_name", "family": "surname", "born": "birth_date", "sex": "sex", "house": "code",
    "street": "address", "town": "place", "zip": "postcode",
}  # fmt: skip
VENUE_COLUMNS = {"name": "text", "address": "address", "town": "place", "phone": "code"}
NICKNAMES = {"KATHERINE": "KATE", "WILLIAM": "BILL", "ROBERT": "BOB", "ELIZABETH": "LIZ", "MUHAMMAD": "MOH"}
_HEADS = ("ba", "be", "da", "de", "fa", "ga", "ha", "ka", "la", "ma", "mi", "na", "ne", "pa", "ra", "ro", "sa", "se")
_HEADS += ("ta", "va", "wi", "za")
_TAILS = ("bert", "den", "dor", "fin", "gar", "han", "kel", "lin", "mar", "nett", "ric", "sen", "son", "ton", "vic")
_TAILS += ("wyn", "zer", "lia", "na", "ra")
KINDS = ("Cafe", "Grill", "House", "Garden", "Kitchen", "Bistro", "Warung", "Bakery")


@dataclass(frozen=True)
class Regime:
    """Shares of records to which each thing happens in the second telling."""

    typo: float = 0.1
    missing: float = 0.03
    swapped: float = 0.02
    nickname: float = 0.02
    moved: float = 0.05
    born: float = 0.03


CLEAN = Regime(typo=0.03, missing=0.01, swapped=0.0, moved=0.02, born=0.01)
CARELESS = Regime(typo=0.25, missing=0.05, swapped=0.05, nickname=0.04, moved=0.1, born=0.06)


def _words(rng: np.random.Generator, count: int) -> np.ndarray:
    made = {f"{rng.choice(_HEADS)}{rng.choice(_HEADS)}{rng.choice(_TAILS)}".upper() for _ in range(3 * count)}
    return np.array(sorted(made))[:count]


def _slip(rng: np.random.Generator, value: str) -> str:
    if len(value) < 3:
        return value
    at, letter = int(rng.integers(1, len(value) - 1)), chr(65 + int(rng.integers(26)))
    what = int(rng.integers(4))
    if what == 0:
        return value[:at] + value[at + 1 :]
    if what == 1:
        return value[:at] + letter + value[at:]
    if what == 2:
        return value[:at] + letter + value[at + 1 :]
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def people(seed: int, households: int) -> pd.DataFrame:
    """Persons of `households`: one surname and address each, every fortieth household with twins."""
    rng = np.random.default_rng(seed)
    givens, families = _words(rng, 260), _words(rng, 420)
    givens[:5] = list(NICKNAMES)
    streets, towns = _words(rng, 150), _words(rng, 40)
    rarity = 1 / np.arange(1, len(families) + 1) ** 0.7
    rows = []
    for home in range(households):
        family = rng.choice(families, p=rarity / rarity.sum())
        town = int(rng.integers(len(towns)))
        at = (str(rng.integers(1, 300)), f"{rng.choice(streets)} STREET", towns[town], f"{40100 + town * 7}")
        size = int(rng.integers(1, 6))
        born = pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 25_000, size), unit="D")
        for person in range(size):
            day = born[0] if person == 1 and home % 40 == 0 else born[person]
            rows.append((rng.choice(givens), family, f"{day:%Y-%m-%d}", rng.choice(["M", "F"]), *at))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates(["given", "family", "born"])
    return table.reset_index(drop=True).assign(truth=lambda t: t.index)


def retold(table: pd.DataFrame, seed: int, regime: Regime) -> pd.DataFrame:
    """The same records told again with the errors of `regime`, in another order."""
    rng = np.random.default_rng(seed)
    streets = table["street"].unique()
    told = []
    for row in table.to_dict("records"):
        if rng.random() < regime.moved:
            row |= {"house": str(rng.integers(1, 300)), "street": rng.choice(streets)}
        if rng.random() < regime.nickname:
            row["given"] = NICKNAMES.get(row["given"], row["given"])
        if rng.random() < regime.swapped:
            row["given"], row["family"] = row["family"], row["given"]
        for name in ("given", "family", "street", "town"):
            if rng.random() < regime.typo:
                row[name] = _slip(rng, row[name])
        if rng.random() < regime.born:
            year, month, day = row["born"].split("-")
            row["born"] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{int(year) + 1}-{month}-{day}"
        for name in COLUMNS:
            if rng.random() < regime.missing:
                row[name] = None
        told.append(row)
    return pd.DataFrame(told).sample(frac=1.0, random_state=seed).reset_index(drop=True)


def venues(seed: int, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two lists of places of business; the second abbreviates, adds the town to names and leaves words out."""
    rng = np.random.default_rng(seed)
    names, streets, towns = _words(rng, 2 * count), _words(rng, 25), _words(rng, 6)
    left, right = [], []
    for number in range(count):
        town, street, house = rng.choice(towns), rng.choice(streets), str(rng.integers(1, 4000))
        kind, phone = rng.choice(KINDS), "".join(str(d) for d in rng.integers(0, 10, 10))
        name = f"{names[2 * number]} {kind}" if rng.random() < 0.7 else f"{names[2 * number]} {names[2 * number + 1]}"
        left.append((name, f"{house} {street} Avenue", town, phone, number))
        if rng.random() < 0.6:
            again = [f"{name} ({town})", f"The {name}", name, _slip(rng, name)][int(rng.integers(4))]
            tail = ["Ave.", "Ave", "Avenue between 1st and 2nd Streets"][int(rng.integers(3))]
            other = "".join(str(d) for d in rng.integers(0, 10, 10)) if rng.random() < 0.05 else phone
            right.append((again, f"{house} {street} {tail}", town, f"{other[:3]}-{other[3:6]}-{other[6:]}", number))
    for number in range(count, count + count // 3):
        kind, phone = rng.choice(KINDS), "".join(str(d) for d in rng.integers(0, 10, 10))
        row = (f"{rng.choice(names)} {kind}", f"{rng.integers(1, 4000)} {rng.choice(streets)} Ave.", rng.choice(towns))
        right.append((*row, phone, number))
    listed = [*VENUE_COLUMNS, "truth"]
    return pd.DataFrame(left, columns=listed), pd.DataFrame(right, columns=listed)
