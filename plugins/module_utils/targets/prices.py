# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A part of AWS's price list, on demand: what is not here is unknown, not free."""

from __future__ import annotations

REGION = "us-east-1"
SOURCE = "AWS price list, on demand, us-east-1, 2026-10-02"
HOURS_A_MONTH = 730  # as AWS's own calculator counts
SECONDS_A_MONTH = HOURS_A_MONTH * 3600

# https://aws.amazon.com/elasticache/pricing/ has the same. Of MemoryDB, EC2 and backups there is nothing in this part.
USD_PER_NODE_HOUR: dict[str, dict[str, float]] = {
    "memcached": {
        "cache.t3.micro": 0.017,
        "cache.t3.small": 0.034,
        "cache.t3.medium": 0.068,
    },
    "redis": {
        "cache.t3.micro": 0.017,
        "cache.t3.small": 0.034,
        "cache.t3.medium": 0.068,
        "cache.t4g.micro": 0.016,
        "cache.t4g.small": 0.032,
        "cache.t4g.medium": 0.065,
        "cache.m6g.large": 0.149,
        "cache.m7g.large": 0.158,
        "cache.m7g.xlarge": 0.315,
        "cache.m7g.2xlarge": 0.629,
        "cache.r6g.large": 0.206,
        "cache.r7g.large": 0.219,
        "cache.r7g.xlarge": 0.437,
        "cache.r7g.2xlarge": 0.873,
        "cache.r7g.4xlarge": 1.745,
    },
    "valkey": {
        "cache.t3.micro": 0.0136,
        "cache.t3.small": 0.0272,
        "cache.t3.medium": 0.0544,
        "cache.t4g.micro": 0.0128,
        "cache.t4g.small": 0.0256,
        "cache.t4g.medium": 0.052,
        "cache.m6g.large": 0.1192,
        "cache.m7g.large": 0.1264,
        "cache.m7g.xlarge": 0.252,
        "cache.m7g.2xlarge": 0.5032,
        "cache.m8g.large": 0.1266,
        "cache.r6g.large": 0.1648,
        "cache.r7g.large": 0.1752,
        "cache.r7g.xlarge": 0.3496,
        "cache.r7g.2xlarge": 0.6984,
        "cache.r7g.4xlarge": 1.396,
        "cache.r8g.large": 0.1756,
    },
}

USD_PER_SERVERLESS_GB_HOUR = {"redis": 0.125, "memcached": 0.125, "valkey": 0.084}
USD_PER_MILLION_ECPU = {"redis": 0.0034, "memcached": 0.0034, "valkey": 0.0023}
SERVERLESS_LEAST_GB = {"redis": 1.0, "memcached": 1.0, "valkey": 0.1}  # what is paid for at the least
