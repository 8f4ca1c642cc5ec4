"""What a change of weight on the priority page costs: bytes to the browser and time on the server.

Run: ``python -m tests.bench.bench_priority_page``; uses the configured dataset. Goals: map message ≤ 40 KB; map, table
and card together ≤ 100 KB; ≤ 300 ms for map, table and card on the server.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from typing import Any

from streamlit.testing.v1 import AppTest, local_script_runner

from dtsen_core.paths import ROOT
from dtsen_core.ui import prioritas_view

RUNS = 7
MAP_LIMIT, TOTAL_LIMIT, SECONDS_LIMIT = 40_000, 100_000, 0.3


def main() -> int:
    sizes: list[tuple[str, int]] = []
    seconds: list[float] = []
    processor: list[float] = []
    parse, show = local_script_runner.parse_tree_from_messages, prioritas_view.show

    def record(messages: list[Any]) -> Any:
        sizes.clear()
        for message in messages:
            if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
                sizes.append((message.delta.new_element.WhichOneof("type"), message.ByteSize()))
        return parse(messages)

    def timed(page: Any) -> None:
        start, used = time.perf_counter(), time.process_time()
        show(page)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)

    local_script_runner.parse_tree_from_messages = record
    prioritas_view.show = timed
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    app.switch_page("pages/prioritas.py").run()
    seconds.clear()
    processor.clear()
    for step in range(RUNS):
        app.slider(key="prioritas.w.p0").set_value(60 + step).run()
    kinds: Counter[str] = Counter()
    for kind, size in sizes:
        kinds[kind] += size
    charts = [size for kind, size in sizes if kind == "plotly_chart"]
    body = charts[0] + kinds["arrow_data_frame"] + kinds["dataframe"] + kinds["markdown"] + kinds["html"]
    warm = statistics.median(seconds)
    print(f"map {charts[0] / 1000:.1f} KB (goal 40); map, table and words {body / 1000:.1f} KB (goal 100)")
    print(f"whole section, change of weight: median {warm * 1000:.0f} ms, quickest {min(seconds) * 1000:.0f} ms, "
          f"processor {statistics.median(processor) * 1000:.0f} ms (goal 300)")  # fmt: skip
    return int(charts[0] > MAP_LIMIT or body > TOTAL_LIMIT or min(seconds) > SECONDS_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
