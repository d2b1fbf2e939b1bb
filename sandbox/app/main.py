"""What the shop answers. All work goes through the cache; a cold cache makes it slower, never wrong."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Awaitable, Callable

import redis
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from redis.exceptions import RedisClusterException

from .cache import redis_client, session_client
from .catalogue import load_product

PRODUCT_SECONDS = 300
SESSION_SECONDS = 3600
HEALTH_KEY_SECONDS = 60
# Its cache is a replica, which refuses writes: what is read from it was written by others.
READS_ONLY = os.environ.get("SHOP_READS_ONLY") == "1"
HOST = os.environ.get("SHOP_HOST") or socket.gethostname()

app = FastAPI(title="shop", docs_url=None, redoc_url=None)
if "CELERY_BROKER_URL" in os.environ:  # else it takes no orders, and has no Celery to wait for at its start
    from .orders import orders

    app.include_router(orders)


@app.middleware("http")
async def say_who_served(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["X-Served-By"] = HOST
    return response


@app.exception_handler(redis.RedisError)
@app.exception_handler(RedisClusterException)
async def cache_failed(request: Request, error: Exception) -> JSONResponse:
    """Answer here, inside the middleware, so that a failed answer too says which host gave it."""
    return JSONResponse({"error": reason(error)}, status_code=503)


def reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


@app.get("/healthz")
def healthz() -> JSONResponse:
    """Write a key of this request's own into the cache and read it back; where it only reads, read one that is not."""
    value = None if READS_ONLY else secrets.token_hex(8)
    key = f"healthz:{HOST}:{value}"
    try:
        if value is not None:
            redis_client.set(key, value, ex=HEALTH_KEY_SECONDS)
        found = redis_client.get(key)
    except (redis.RedisError, RedisClusterException) as error:
        return JSONResponse({"status": "failed", "reason": reason(error)}, status_code=503)
    if found != value:
        text = f"the cache gave back {found!r} for {key}, which was set to {value!r} just before"
        return JSONResponse({"status": "failed", "reason": text}, status_code=503)
    return JSONResponse({"status": "ok", "host": HOST, "process": os.getpid()})


@app.get("/products/{product_id}")
def product(product_id: int, user: str | None = None) -> dict[str, object]:
    key = f"product:{product_id}"
    cached = redis_client.get(key)
    if READS_ONLY:
        found = load_product(product_id) if cached is None else json.loads(cached)
        views = int(redis_client.get(f"views:{product_id}") or 0)
        return {"product": found, "views": views, "from_cache": cached is not None}
    if cached is None:
        found = load_product(product_id)
        redis_client.set(key, json.dumps(found), ex=PRODUCT_SECONDS)
    else:
        found = json.loads(cached)
    pipeline = redis_client.pipeline()
    pipeline.incr(f"views:{product_id}")
    pipeline.zincrby("popular", 1, str(product_id))
    views = pipeline.execute()[0]
    if user is not None:
        session = f"session:{user}"
        pipeline = session_client.pipeline()
        pipeline.hset(session, "last_product", product_id)
        pipeline.hincrby(session, "seen", 1)
        pipeline.expire(session, SESSION_SECONDS)
        pipeline.execute()
    return {"product": found, "views": views, "from_cache": cached is not None}


@app.get("/popular")
def popular() -> dict[str, object]:
    best = redis_client.zrevrange("popular", 0, 9, withscores=True)
    return {"popular": [{"id": int(product_id), "views": int(score)} for product_id, score in best]}


@app.get("/sessions/{user}")
def session(user: str) -> dict[str, object]:
    return {"user": user, "session": session_client.hgetall(f"session:{user}")}
