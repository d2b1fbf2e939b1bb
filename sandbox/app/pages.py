"""The shop, rewritten to need plain values alone, so that it runs on Memcached too. What it answers is the same."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from .catalogue import load_product
from .values import FAILURES, values

PRODUCT_SECONDS = 300
SESSION_SECONDS = 3600
HEALTH_KEY_SECONDS = 60
SHOWN = range(1, 11)  # the products of the first page
HOST = os.environ.get("SHOP_HOST") or socket.gethostname()

app = FastAPI(title="shop", docs_url=None, redoc_url=None)


@app.middleware("http")
async def say_who_served(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["X-Served-By"] = HOST
    return response


async def cache_failed(request: Request, error: Exception) -> JSONResponse:
    """Answer here, inside the middleware, so that a failed answer too says which host gave it."""
    return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=503)


for failure in FAILURES:
    app.add_exception_handler(failure, cache_failed)


@app.get("/healthz")
def healthz() -> JSONResponse:
    """Write a value of this request's own into the cache and read it back."""
    value = secrets.token_hex(8)
    key = f"healthz:{HOST}:{value}"
    values().set(key, value, HEALTH_KEY_SECONDS)
    found = values().get(key)
    if found != value:
        text = f"the cache gave back {found!r} for {key}, which was set to {value!r} just before"
        return JSONResponse({"status": "failed", "reason": text}, status_code=503)
    return JSONResponse({"status": "ok", "host": HOST, "process": os.getpid()})


@app.get("/products/{product_id}")
def product(product_id: int, user: str | None = None) -> dict[str, object]:
    key = f"product:{product_id}"
    cached = values().get(key)
    found = load_product(product_id) if cached is None else json.loads(cached)
    if cached is None:
        values().set(key, json.dumps(found), PRODUCT_SECONDS)
    if user is not None:
        seen = int(session_of(user).get("seen", 0)) + 1
        values().set(f"visit:{user}", json.dumps({"last_product": product_id, "seen": seen}), SESSION_SECONDS)
    return {"product": found, "views": values().count(f"viewed:{product_id}"), "from_cache": cached is not None}


@app.get("/popular")
def popular() -> dict[str, object]:
    views = {number: int(values().get(f"viewed:{number}") or 0) for number in SHOWN}
    best = sorted(views, key=lambda number: -views[number])
    return {"popular": [{"id": number, "views": views[number]} for number in best]}


@app.get("/sessions/{user}")
def session(user: str) -> dict[str, object]:
    return {"user": user, "session": session_of(user)}


def session_of(user: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(values().get(f"visit:{user}") or "{}")
    return found
