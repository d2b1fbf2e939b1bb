"""The cache, as the app has always had it: one client, configured by REDIS_URL, or by parts where that is not set."""

import os

import redis


def client() -> redis.Redis:
    url = os.environ.get("REDIS_URL")
    if url:
        return redis.from_url(url, decode_responses=True)
    return redis.Redis(
        host=os.environ["REDIS_HOST"],
        port=int(os.environ["REDIS_PORT"]),
        password=os.environ.get("REDIS_PASSWORD"),
        db=int(os.environ.get("REDIS_DB", "0")),
        ssl=os.environ.get("REDIS_SSL", "False") == "True",
        decode_responses=True,
    )


redis_client = client()
