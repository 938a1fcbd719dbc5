"""`python -m portal.new_master_key`: print a fresh master key as it stands in MASTER_KEYS_FILE.

Needs no settings: it is run before there are any. Whoever loses this line loses every stored message; whoever
copies it, with the database, can read them. Keep it apart from both database and backups.
"""

import base64
import secrets
from datetime import UTC, datetime


def new_master_key() -> str:
    """ "id:base64 of 32 bytes"; the id is the day it was made and four random digits."""
    key_id = f"{datetime.now(UTC):%Y%m%d}{secrets.token_hex(2)}"
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


if __name__ == "__main__":
    print(new_master_key())
