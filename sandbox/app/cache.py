"""The cache, as the app has always had it: one client, configured by REDIS_URL."""

import os

import redis

redis_client = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
