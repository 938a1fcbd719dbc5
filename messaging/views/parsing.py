import uuid
from collections.abc import Iterable


def parsed_uuids(values: Iterable[str]) -> list[uuid.UUID]:
    """The ids among what a form sent; what is none is left out, as one that does not exist would be."""
    ids = []
    for value in values:
        try:
            ids.append(uuid.UUID(value))
        except ValueError:
            continue
    return ids
