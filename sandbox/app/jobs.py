"""The shop's jobs: a worker and a beat of Celery that read the .env of the web service.

python -m celery --app app.jobs worker | beat
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import redis
from celery import Celery
from dotenv import load_dotenv

from .parameters import url_of_parameter

load_dotenv(".env")
STATE = Path("/var/lib/shop")
SEND_SECONDS = 0.6  # that the mail server takes
RECEIPTS = STATE / "receipts"  # one line for each run of the job: who was sent one twice stands there twice

jobs = Celery("shop", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
jobs.conf.broker_connection_retry_on_startup = True
jobs.conf.beat_schedule = {"count stock": {"task": "app.jobs.count_stock", "schedule": 1.0}}
jobs.conf.beat_schedule_filename = str(STATE / "beat")


@jobs.task
def send_receipt(order: str) -> str:
    """Append one line, which the kernel does as a whole."""
    time.sleep(SEND_SECONDS)
    STATE.mkdir(exist_ok=True)
    with RECEIPTS.open("a") as file:
        file.write(f"{order}\n")
    return order


@jobs.task(ignore_result=True)
def count_stock() -> None:
    """What the beat asks for, in the cache that is named by a parameter."""
    url = url_of_parameter("STOCK_URL_PARAMETER")
    if url:
        with redis.from_url(url) as client:
            client.incr("stock:counted")
