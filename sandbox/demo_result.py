"""What the demo makes of its figures: connections by side, what is wrong, and a short table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PHASES = ("before", "during", "after")


def connections_summary(
    seen: Mapping[str, Any], old: tuple[str, int], target: Mapping[str, Any] | None
) -> dict[str, int]:
    """Count a host's connections to the old and to the new, by the addresses their names have on that host."""
    peers = [(address, port) for address, port in seen["peers"]]
    counts = {"old": peers.count((seen["addresses"][old[0]], old[1])), "new": 0}
    if target is not None:
        counts["new"] = peers.count((seen["addresses"][target["address"]], target["port"]))
    return counts


def faults(summary: Mapping[str, Any]) -> list[str]:
    """Sentences about all that is not as a migration must leave it; none where it went well."""
    found = []
    if summary["requests_failed"]:
        first = summary["failures"][0]
        found.append(
            f"{summary['requests_failed']} of {summary['requests_total']} requests failed, the first after "
            f"{first['at_seconds']} s ({first['phase']}): {first['url']}: {first['reason']}"
        )
    for host, count in summary["connections"].items():
        if not count["new"]:
            found.append(f"{host} has no connection to {summary['target']['address']}")
        if count["old"]:
            found.append(f"{host} still has {count['old']} connections to the old Redis")
    if missing := sorted(set(summary["hosts"]) - set(summary["connections"])):
        found.append(f"nothing is known of the connections of {', '.join(missing)}")
    if not summary["source"]["data_untouched"]:
        found.append("the data in the old Redis is not what it was")
    return found


def result_table(summary: Mapping[str, Any]) -> str:
    target = summary["target"]
    lines = [
        f"from  {summary['source']['address']}:{summary['source']['port']}",
        f"to    {target['address']}:{target['port']} ({'TLS' if target['tls'] else 'no TLS'}, auth {target['auth']})",
        "",
        *columns(
            ["host", "to old", "to new", "answers"],
            [
                [host, count["old"], count["new"], summary["served_by"].get(host, 0)]
                for host, count in summary["connections"].items()
            ],
        ),
        "",
        *columns(
            ["load", "requests", "failed", "retried", "p50 ms", "p99 ms"],
            [
                [phase, counted["requests"], counted["failed"], counted["retried"], *p50_p99(counted)]
                for phase in PHASES
                if (counted := summary["phases"].get(phase))
            ],
        ),
        "",
        *columns(["stage", "seconds"], [[stage, seconds] for stage, seconds in summary["stages"].items()]),
        "",
        f"{summary['requests_total']} requests, {summary['requests_failed']} failed; "
        f"data in the old Redis {'untouched' if summary['source']['data_untouched'] else 'CHANGED'}",
    ]
    return "\n".join(lines)


def p50_p99(counted: Mapping[str, Any]) -> tuple[Any, Any]:
    return counted["latency_ms"]["p50"], counted["latency_ms"]["p99"]


def columns(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The first column to the left, figures to the right."""
    table = [titles, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(titles))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in table
    ]
