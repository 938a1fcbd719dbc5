from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """Where a try comes from: what support asks for, and what the limits count by. Read from a request in http.py."""

    url: str
    browser: str
    network: str | None
    browser_token: str = ""
