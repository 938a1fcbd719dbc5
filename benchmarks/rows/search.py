import psycopg2

from benchmarks.bench import Bench
from benchmarks.browser import Browser
from benchmarks.figures import Figure, Line
from benchmarks.rounds import Side, interleaved

MIB = 1024 * 1024


def measured(bench: Bench) -> list[Line]:
    """A word that stands only in the oldest text of the mailbox, so that all are opened and looked through."""
    browsers, floors = bench.browsers("searcher"), bench.floor_browsers()
    results = next(browsers).post("/search/", {"words": "quicksilver"}).location
    memory = bench.portal.memory()
    found = interleaved(
        {
            "search": Side(bench.portal, lambda: [_found(bench, next(browsers), results)]),
            "floor": Side(bench.floor, lambda: [next(floors).get("/opened/")]),
        },
        rounds=max(3, bench.size.rounds // 2),
        requests=5,
        warm=2,
    )
    seconds, floor = (Figure([ms / 1000 for ms in found[side].p50.values], "s") for side in ("search", "floor"))
    grown = memory.growth() / MIB
    beside = f"10,000 fetched and opened, not looked at {floor}"
    return [
        Line(f"Search in {bench.size.searched:,} texts of 4 kB", seconds, beside, seconds.median, "s", 1),
        Line("… memory of the worker", Figure([grown], "MiB"), "at rest before", grown, "MiB", 64),
    ]


def _found(bench: Bench, browser: Browser, results: str):
    answer = browser.get(results)
    if answer.status == 429:  # thirty a minute are allowed
        _forget_limits(bench)
        answer = browser.get(results)
    return answer


def _forget_limits(bench: Bench) -> None:
    connection = psycopg2.connect(bench.databases.url_of("main"))
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM portal_limituse")
    connection.close()
