"""What a change of weight on the priority page costs: bytes to the browser and time on the server, with three and with
eight indicators.

Run: ``python -m tests.bench.bench_priority_page``; uses the configured dataset. Goals: map message ≤ 40 KB; map, table
and card together ≤ 100 KB; ≤ 300 ms for map, table and card on the server.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import local_script_runner

from dtsen_core.ui import prioritas_parts, prioritas_view
from tests import pages

RUNS = 7
MAP_LIMIT, TOTAL_LIMIT, SECONDS_LIMIT = 40_000, 100_000, 0.3
EIGHT = ("p0", "uncovered_share", "pkh", "share_d14", "p1", "sembako", "pbi", "poor_persons")


def main() -> int:
    sizes: list[tuple[str, int]] = []
    seconds: list[float] = []
    processor: list[float] = []
    first_part: list[float] = []
    began = [0.0]
    parse, show = local_script_runner.parse_tree_from_messages, prioritas_view.show
    table = prioritas_parts.table

    def record(messages: list[Any]) -> Any:
        sizes.clear()
        for message in messages:
            if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
                sizes.append((message.delta.new_element.WhichOneof("type"), message.ByteSize()))
        return parse(messages)

    def timed(page: Any) -> None:
        start, used = time.perf_counter(), time.process_time()
        began[0] = used
        show(page)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)

    def drawn(*arguments: Any) -> None:
        table(*arguments)
        first_part.append(time.process_time() - began[0])

    prioritas_parts.table = drawn
    local_script_runner.parse_tree_from_messages = record
    prioritas_view.show = timed
    pages.through_router(PagesManager)
    failed = 0
    for keys in ((), EIGHT):
        query = {"ind": "~".join(f"{key}.50h" for key in keys)} if keys else {}
        app = pages.open_page("prioritas", **query)
        for name in query:
            del app.query_params[name]  # from here on the controls say what is chosen
        seconds.clear()
        processor.clear()
        first_part.clear()
        for step in range(RUNS):
            weight = 60 + step
            app.slider(key="prioritas.w.p0").set_value(weight).run()
            assert app.slider(key="prioritas.w.p0").value == weight, "the change did not arrive"
        kinds: Counter[str] = Counter()
        for kind, size in sizes:
            kinds[kind] += size
        charts = [size for kind, size in sizes if kind == "plotly_chart"]
        body = charts[0] + kinds["arrow_data_frame"] + kinds["dataframe"] + kinds["markdown"] + kinds["html"]
        print(f"{len(keys) or 3} indicators: map {charts[0] / 1000:.1f} KB (goal 40); map, table and words "
              f"{body / 1000:.1f} KB (goal 100); other charts {sum(charts[1:]) / 1000:.1f} KB")  # fmt: skip
        print(f"  controls, ranking, map and table: processor {statistics.median(first_part) * 1000:.0f} ms (goal 300)")
        print(f"  whole section, change of weight: median {statistics.median(seconds) * 1000:.0f} ms, quickest "
              f"{min(seconds) * 1000:.0f} ms, processor "
              f"{statistics.median(processor) * 1000:.0f} ms")  # fmt: skip
        failed |= int(charts[0] > MAP_LIMIT or body > TOTAL_LIMIT or min(first_part) > SECONDS_LIMIT)
    return failed


if __name__ == "__main__":
    sys.exit(main())
