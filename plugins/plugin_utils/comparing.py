# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the services cost that an app can move to: by the Price List API, else AWS's public list, else what is shipped.

Nothing here ends a run: a list that cannot be read is named, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.error import URLError

from ansible.errors import AnsibleActionFail
from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import pricing
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import comparison
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import price_list
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import Wishes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import Item, Price, PriceList
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import instance_of

_IN_PUBLIC_LIST = (price_list.NODE, price_list.MEMORYDB, price_list.BACKUP)  # that of EC2 has hundreds of megabytes
_LARGEST = 64 * 2**20  # bytes
_SECONDS = 20
_BOUNDED = {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 2}}


def compared(
    action: EngineAction, known: Known, assessed: Mapping[str, Any], task_vars: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """The lines for a person, and the record. ``assessed`` is the record of the stage."""
    settings = known.settings
    instance, unseen = _instance(action, settings, task_vars)
    sources = [Source.from_dict(told) for told in assessed["sources"].values()]
    load = comparison.load_of(sources, assessed["named_databases"])
    wishes = Wishes(
        must_not_lose=bool(settings["must_not_lose"]),
        backup_days=int(settings["snapshot_retention_limit"]),
        instance=instance,
    )
    prices = _prices(action, settings, comparison.items_of(comparison.side_by_side(load, wishes)))
    found = comparison.compare(load, wishes, prices)
    told = comparison.lines(found, load, (*prices.unread, *unseen))
    if runs := known.found.get("engine"):
        told.append(f"The target that exists runs {runs}, and keeps it until migration_engine says otherwise.")
    return told, found.as_dict()


def _client(action: EngineAction, service: str, region: str) -> Any:
    options = {**action.defaults_of(on_aws.MODULE), "region": region, "aws_config": _BOUNDED}
    return action.client_by(options, service)


def _instance(
    action: EngineAction, settings: Mapping[str, Any], task_vars: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The size of the old instance, and why it is not known where it is named."""
    old_hosts = list(task_vars["groups"].get("old_redis") or ())
    instance_id = instance_of(settings, task_vars["hostvars"], old_hosts)
    if not instance_id:
        return {}, ("What the old instance costs is not known: name it in migration_old_instance_id.",)
    try:
        found = pricing.size_of(_client(action, "ec2", settings["region"]), instance_id)
    except (AnsibleAWSError, AnsibleActionFail) as error:
        return {}, (f"What the old instance costs is not known: {_why(error)}.",)
    if not found:
        return {}, (f"What the old instance costs is not known: there is no {instance_id} in this account and region.",)
    return found, ()


def _prices(action: EngineAction, settings: Mapping[str, Any], items: Sequence[Item]) -> PriceList:
    region = settings["region"]
    try:
        told = pricing.prices_of(_client(action, "pricing", pricing.REGION), items, region)
        return PriceList(region, (told,))
    except (AnsibleAWSError, AnsibleActionFail) as error:
        unread = f"The Price List API was not read: {_why(error)}."
    if not settings["price_list_url"]:
        return PriceList(region, (), (unread,))
    try:
        return PriceList(region, (_public(settings["price_list_url"], region, items),), (unread,))
    except (OSError, URLError, UrlConnectionError, ValueError, KeyError) as error:
        return PriceList(region, (), (unread, f"AWS's public price list was not read: {error}."))


def _why(error: AnsibleAWSError | AnsibleActionFail) -> str:
    return (explain(error) if isinstance(error, AnsibleAWSError) else str(error)).rstrip(".")


def _public(url: str, region: str, items: Iterable[Item]) -> dict[Item, Price]:
    """What stands in the public files. Raises OSError, ValueError, KeyError."""
    wanted = [item for item in items if item.kind in _IN_PUBLIC_LIST]
    found: dict[Item, Price] = {}
    services = dict.fromkeys(asked.service for item in wanted if (asked := price_list.query(item, region)))
    for service in services:
        address = f"{url.rstrip('/')}/offers/v1.0/aws/{service}/current/{region}/index.json"
        answer = open_url(address, timeout=_SECONDS)
        listed = json.loads(_whole(answer, address))
        products = _products(listed)
        source = f"AWS public price list, {region}, {str(listed['publicationDate'])[:10]}"
        for item in wanted:
            asked = price_list.query(item, region)
            usd = price_list.price_in(item, products) if asked and asked.service == service else None
            if usd is not None:
                found[item] = Price(usd, source)
    return found


def _whole(answer: Any, address: str) -> bytes:
    text: bytes = answer.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError(f"{address} has more than {_LARGEST // 2**20} MiB")
    return text


def _products(listed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As the API has them, each with its own terms."""
    on_demand = listed["terms"].get("OnDemand") or {}
    return [
        {"product": product, "terms": {"OnDemand": on_demand.get(sku) or {}}}
        for sku, product in listed["products"].items()
    ]
