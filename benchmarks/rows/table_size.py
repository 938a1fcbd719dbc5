from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.bench import SMALL_COPIES, Bench, say
from benchmarks.browser import Browser
from benchmarks.figures import Line, ratio
from benchmarks.rounds import Side, interleaved
from benchmarks.server import Server


def measured(bench: Bench) -> list[Line]:
    """One person's inbox while the table of everybody's copies grows: three databases at once, asked in turn."""
    sizes = [SMALL_COPIES, bench.size.copies // 10, bench.size.copies]
    with ExitStack() as stack:
        servers = {copies: stack.enter_context(_table_of(bench, copies)) for copies in sizes}
        sides = {str(copies): _side(bench, server) for copies, server in servers.items()}
        found = interleaved(sides, rounds=bench.size.rounds, requests=bench.size.requests)
    smallest = found[str(SMALL_COPIES)].p50
    return [
        ratio(
            f"Inbox, table of {copies:,} copies: p50",
            found[str(copies)].p50,
            smallest,
            1.15,
            floor_name=f"{SMALL_COPIES:,} copies",
        )
        for copies in sizes[1:]
    ]


@contextmanager
def _table_of(bench: Bench, copies: int) -> Iterator[Server]:
    name = f"copies_{copies}"
    say(f"a table of {copies:,} copies")
    bench.databases.create(name, like="start")
    try:
        bench.run("benchmarks.mailboxes", "fill", copies, database=name)
        with bench.serve(name) as server:
            yield server
    finally:
        bench.databases.drop(name)


def _side(bench: Bench, server: Server) -> Side:
    browsers: Iterator[Browser] = bench.browsers("small", server)
    return Side(server, lambda: [next(browsers).get("/inbox/")])
