"""Products, out of a database that takes its time. The same id always gives the same product."""

from __future__ import annotations

import hashlib
import time

QUERY_SECONDS = 0.025
ADJECTIVES = ("plain", "red", "heavy", "quiet", "warm", "late", "round", "striped")
NOUNS = ("kettle", "lamp", "chair", "coat", "clock", "bowl", "ladder", "blanket")


def load_product(product_id: int) -> dict[str, object]:
    """Query the product. This is the slow work that the cache saves."""
    time.sleep(QUERY_SECONDS)
    digest = hashlib.sha256(str(product_id).encode()).digest()
    return {
        "id": product_id,
        "name": f"{ADJECTIVES[digest[0] % len(ADJECTIVES)]} {NOUNS[digest[1] % len(NOUNS)]}",
        "price_cents": 100 + int.from_bytes(digest[2:4], "big"),
        "article": digest.hex()[:12],
    }
