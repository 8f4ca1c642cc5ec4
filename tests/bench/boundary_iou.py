"""How close the served regencies come to official ones: intersection over union, equal-area projection.

    python tests/bench/boundary_iou.py OFFICIAL_FILE [--code-field code]

The official file is only measured against and never becomes part of the product.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas
import pandas as pd

from dtsen_core.regions import boundaries, units

EQUAL_AREA = "+proj=cea +lat_ts=0 +datum=WGS84"


def overlap(official: Path, code_field: str = "code") -> pd.Series:
    """IoU per regency code, worst first. `official`: any file geopandas reads, Kemendagri codes."""
    parquet = official.suffix == ".parquet"
    theirs = geopandas.read_parquet(official) if parquet else geopandas.read_file(official)
    ours = geopandas.read_file(boundaries.path("regency")).set_index("code")
    a = ours.to_crs(EQUAL_AREA).geometry.make_valid()
    b = theirs.set_index(code_field).to_crs(EQUAL_AREA).geometry.make_valid().reindex(a.index)
    both = a.intersection(b).area
    return (both / (a.area + b.area - both)).sort_values()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("official", type=Path)
    parser.add_argument("--code-field", default="code")
    given = parser.parse_args()
    result = overlap(given.official, given.code_field)
    size = boundaries.path("regency").stat().st_size
    print(f"regencies {len(result)}  mean {result.mean():.4f}  median {result.median():.4f}  file {size:,} bytes")
    for code, value in result.head(10).items():
        print(f"{code} {units.name(str(code)):35s} {value:.2f}")


if __name__ == "__main__":
    main()
