from benchmarks.bench import Bench
from benchmarks.figures import Line, ratio
from benchmarks.rounds import Side, interleaved


def measured(bench: Bench) -> list[Line]:
    """A message of 4 kB: its page, and with it the document of its text, which the page's frame asks for."""
    browsers, floors = bench.browsers("searcher"), bench.floor_browsers()
    page = f"/messages/{bench.searcher['newest']}/"
    found = interleaved(
        {
            "page": Side(bench.portal, lambda: [next(browsers).get(page)]),
            "text": Side(bench.portal, lambda: [next(browsers).get(f"{page}body/")]),
            "floor": Side(bench.floor, lambda: [next(floors).get("/page/")]),
        },
        rounds=bench.size.rounds,
        requests=bench.size.requests,
    )
    floor = found["floor"].cpu
    both = _sum(found["page"].cpu.values, found["text"].cpu.values)
    return [
        ratio("Open a message of 4 kB, page: CPU", found["page"].cpu, floor, 2),
        ratio("… page and its text, two requests: CPU", type(floor)(both, "ms"), floor, 2),
    ]


def _sum(*columns: object) -> list[float]:
    return [sum(values) for values in zip(*columns, strict=True)]  # type: ignore[call-overload]
