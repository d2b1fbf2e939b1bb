"""Orders, for each of which a worker sends a receipt, and where there is one for it, another prints a letter."""

from __future__ import annotations

from fastapi import APIRouter

from .jobs import jobs, send_receipt
from .letters import order_letter

orders = APIRouter()


@orders.post("/orders/{order}", status_code=202)
def place_order(order: str) -> dict[str, str]:
    """Taken as soon as the broker has the job, which has the name of the order."""
    send_receipt.apply_async((order,), task_id=order)
    order_letter(order)
    return {"order": order}


@orders.get("/orders/{order}")
def look_at_order(order: str) -> dict[str, str]:
    """SUCCESS when the receipt was sent; PENDING, as Celery has it, also of what nobody knows."""
    return {"order": order, "state": jobs.AsyncResult(order).state}
