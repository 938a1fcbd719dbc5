import uuid

import psycopg2

from benchmarks.bench import Bench, say
from benchmarks.browser import Browser
from benchmarks.figures import Figure, Line, times
from benchmarks.rounds import Side, interleaved

MIB = 1024 * 1024


def measured(bench: Bench) -> list[Line]:
    """A file of 10 MiB down against a view that only opens one; and memory, while a large one goes up and down."""
    return [_speed(bench), *_memory(bench)]


def _speed(bench: Bench) -> Line:
    browsers, floors = bench.browsers("sender0"), bench.floor_browsers()
    path, _growth = _attached(bench, next(browsers), 10 * MIB)
    found = interleaved(
        {
            "portal": Side(bench.portal, lambda: [next(browsers).get(path)]),
            "floor": Side(bench.floor, lambda: [next(floors).get("/file/")]),
        },
        rounds=bench.size.rounds,
        requests=50,
        warm=3,
    )
    ours, floor = (Figure([10_000 / ms for ms in found[side].p50.values], "MiB/s") for side in ("portal", "floor"))
    share = 100 * times(ours, floor)
    processor = f"CPU {found['portal'].cpu} against {found['floor'].cpu}"
    beside = f"a view that only opens AES-GCM {floor}; {processor}"
    return Line("Attachment of 10 MiB down", ours, beside, share, "% of it", 85, at_least=True)


def _memory(bench: Bench) -> list[Line]:
    size = bench.size.large_mib
    say(f"{size} MiB up and down")
    browser = bench.browser("sender0")
    path, up = _attached(bench, browser, size * MIB)
    memory = bench.portal.memory()
    answer = browser.get(path)
    assert answer.size == size * MIB, answer
    down = memory.growth()
    return [
        Line(
            f"{size:,} MiB {way}: memory of the worker",
            Figure([grown / MIB], "MiB"),
            "at rest before",
            grown / MIB,
            "MiB",
            16,
        )
        for way, grown in (("up", up), ("down", down))
    ]


def _attached(bench: Bench, browser: Browser, size: int) -> tuple[str, int]:
    """A message with such a file is sent; its author's address of the file, and how much memory it took."""
    message = uuid.uuid4()
    fields = {"to": "r1@outside.example", "subject": "A file", "body": "Here it is.", "action": "attach"}
    browser.post(f"/drafts/{message}/", fields)
    memory = bench.portal.memory()
    answer = browser.post_file(f"/drafts/{message}/", fields, file_bytes=size)
    grown = memory.growth()
    assert answer.status == 302, answer
    answer = browser.post(f"/drafts/{message}/", fields | {"action": "send"})
    assert answer.location == "/sent/", answer
    return _address(bench, message), grown


def _address(bench: Bench, message: uuid.UUID) -> str:
    connection = psycopg2.connect(bench.databases.url_of("main"))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.id, attachment.id FROM messaging_mailboxentry AS entry "
            "JOIN messaging_attachment AS attachment USING (message_id) WHERE message_id = %s AND kind = 'sent'",
            [str(message)],
        )
        entry, attachment = cursor.fetchone()
    connection.close()
    return f"/messages/{entry}/attachments/{attachment}/"
