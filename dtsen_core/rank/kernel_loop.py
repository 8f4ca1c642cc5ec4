"""The inner loops of the compiled engine; importing this module loads numba."""

from __future__ import annotations

import numba


@numba.njit(nogil=True, cache=True, boundscheck=False)
def count(codes, size, urban, first, last, table, offsets, low, sums, cells, found):  # type: ignore[no-untyped-def]
    """Count families `first`..`last`−1 of one area; returns how many cells of `found` were filled.

    `codes` K arrays of codes, `table` (all codes,) look-ups with `offsets` (K + 1,) of each group, `sums` a
    buffer of one block, `cells` (3 strata, scores from `low`) all zero before and after. `found` (4, …) takes
    urban, score, families and persons of every occupied cell.
    """
    block = len(sums)
    least, most = cells.shape[1], -1
    start = first
    while start < last:
        number = min(block, last - start)
        for i in range(number):
            sums[i] = -low
        for group, column in enumerate(codes):
            values = table[offsets[group] : offsets[group + 1]]
            part = column[start : start + number]
            for i in range(number):
                sums[i] += values[part[i]]
        for i in range(number):
            least = min(least, sums[i])
            most = max(most, sums[i])
        for i in range(number):
            cells[urban[start + i], sums[i]] += 4294967296 + size[start + i]
        start += number
    filled = 0
    for stratum in range(cells.shape[0]):
        for place in range(least, most + 1):
            held = cells[stratum, place]
            if held:
                cells[stratum, place] = 0
                found[0, filled] = stratum
                found[1, filled] = place + low
                found[2, filled] = held >> 32
                found[3, filled] = held & 4294967295
                filled += 1
    return filled


@numba.njit(nogil=True, cache=True, boundscheck=False)
def count_areas(  # type: ignore[no-untyped-def]
    codes, size, urban, first, last, row, tables, offsets, low, sums, cells, found, ends
):
    """`count` for several areas without a word to Python in between, where others would cut in.

    `first`, `last`, `row` (of `tables` and `low`) by area; `ends` takes the end of each area's cells in `found`.
    """
    filled = 0
    for i in range(len(first)):
        filled += count(
            codes, size, urban, first[i], last[i], tables[row[i]], offsets, low[row[i]], sums, cells, found[:, filled:]
        )
        ends[i] = filled
    return filled
