"""More of the shop's jobs, of RQ: a worker, with a scheduler, that reads the .env of the web service.

python -m app.letters
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import redis
from dotenv import load_dotenv
from rq import Queue, Worker

load_dotenv(".env")
STATE = Path("/var/lib/shop")
PRINT_SECONDS = 0.2
LETTERS = STATE / "letters"  # one line for each run of the job

queue = Queue(connection=redis.from_url(os.environ["RQ_URL"])) if "RQ_URL" in os.environ else None


def print_letter(order: str) -> None:
    """Append one line, which the kernel does as a whole."""
    time.sleep(PRINT_SECONDS)
    STATE.mkdir(exist_ok=True)
    with LETTERS.open("a") as file:
        file.write(f"{order}\n")


def order_letter(order: str, later: float = 0) -> None:
    """A job by the name of the order, at once or later."""
    if queue is None:
        return
    if later:
        queue.enqueue_in(timedelta(seconds=later), print_letter, order, job_id=order)
    else:
        queue.enqueue(print_letter, order, job_id=order)


if __name__ == "__main__":
    Worker([queue], connection=queue.connection).work(with_scheduler=True, logging_level="WARNING")
