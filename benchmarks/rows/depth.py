from benchmarks.bench import Bench
from benchmarks.figures import Line, ratio
from benchmarks.rounds import Side, interleaved


def measured(bench: Bench) -> list[Line]:
    """A page very far down the same inbox against its first."""
    browsers = bench.browsers("reader")
    deep = f"/inbox/?older={bench.reader['after_90000']}"
    found = interleaved(
        {
            "deep": Side(bench.portal, lambda: [next(browsers).get(deep)]),
            "first": Side(bench.portal, lambda: [next(browsers).get("/inbox/")]),
        },
        rounds=bench.size.rounds,
        requests=bench.size.requests,
    )
    depth = min(90_000, bench.size.messages * 9 // 10)
    return [ratio(f"Page at depth {depth:,}: p50", found["deep"].p50, found["first"].p50, 1.2, floor_name="first page")]
