"""The caches, as the app has always had them: one by REDIS_URL, or by parts where that is not set, and one for sessions
where that has parts of its own. REDIS_CLUSTER says that REDIS_URL is that of a cluster, which needs another client."""

import os

import redis


def by_parts(name: str) -> redis.Redis:
    return redis.Redis(
        host=os.environ[f"{name}_HOST"],
        port=int(os.environ[f"{name}_PORT"]),
        password=os.environ.get(f"{name}_PASSWORD"),
        db=int(os.environ.get(f"{name}_DB", "0")),
        ssl=os.environ.get(f"{name}_SSL", "False") == "True",
        decode_responses=True,
    )


def client() -> redis.Redis | redis.RedisCluster:
    url = os.environ.get("REDIS_URL")
    if url and os.environ.get("REDIS_CLUSTER") == "true":
        return redis.RedisCluster.from_url(url, decode_responses=True)
    return redis.from_url(url, decode_responses=True) if url else by_parts("REDIS")


redis_client = client()
session_client = by_parts("SESSION_REDIS") if "SESSION_REDIS_HOST" in os.environ else redis_client
