from benchmarks.bench import Bench
from benchmarks.figures import Line, ratio
from benchmarks.rounds import Side, interleaved


def measured(bench: Bench) -> list[Line]:
    """The inbox of somebody with very many messages: 25 lines with their subjects opened, and what is unread."""
    browsers, floors = bench.browsers("reader"), bench.floor_browsers()
    found = interleaved(
        {
            "inbox": Side(bench.portal, lambda: [next(browsers).get("/inbox/")]),
            "floor": Side(bench.floor, lambda: [next(floors).get("/page/")]),
        },
        rounds=bench.size.rounds,
        requests=bench.size.requests,
    )
    return [ratio(f"Inbox page, owner of {bench.size.messages:,}: CPU", found["inbox"].cpu, found["floor"].cpu, 1.5)]
