# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters of the roles: thin doors to the rooms of the same words."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    AFTER_APPLY,
    Endpoint,
    EndpointError,
    after_apply,
    build_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    own_check,
    rollback,
    standing,
    story,
    token_rotation,
    verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import ssm as ssm_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import (
    security_group as cache_security_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.rules import family_of


def cache_url(endpoint, token="", database=0):
    """The URL that an app uses to reach an endpoint."""
    try:
        return build_url(Endpoint.from_dict(endpoint), token or "", int(database or 0))
    except EndpointError as error:
        raise AnsibleFilterError(str(error)) from error


def cache_endpoint(mapping):
    """The whole endpoint mapping from the part of it that a person stated."""
    try:
        if mapping.get("state") == AFTER_APPLY:
            return after_apply("elasticache", mapping["name"]).as_dict()
        whole = {"service": "elasticache", "name": mapping.get("address"), "port": 6379, **mapping}
        return Endpoint.from_dict(whole).as_dict()
    except EndpointError as error:
        raise AnsibleFilterError(f"migration_endpoint: {error}") from error


def cutover_batches(hosts, canary="", batch_size="50%"):
    """The hosts as a list of batches, the canary first."""
    try:
        return batches.cutover_batches(list(hosts), canary or "", batch_size)
    except batches.BatchError as error:
        raise AnsibleFilterError(str(error)) from error


def cache_parameter_group_family(engine_version):
    """The parameter group family of a version of Redis OSS."""
    family = family_of(str(engine_version))
    if not family:
        raise AnsibleFilterError(
            f"{engine_version!r} is no version of Redis OSS, such as 7.1: change migration_engine_version"
        )
    return family


def migration_results(hosts, hostvars, name):
    """The result of each host under ``name``; a host without one was lost earlier in the run."""
    return {host: dict(hostvars[host].get(name, batches.LOST) or batches.UNTOUCHED) for host in hosts}


def cache_hosts_elsewhere(hosts, hostvars, name, endpoint):
    """The hosts whose probe, registered under ``name``, reached something else than the endpoint, and where that is."""
    reached = {host: dict((hostvars[host].get(name) or {}).get("location") or {}) for host in hosts}
    return {host: place for host, place in reached.items() if place.get("host") != endpoint.get("address")}


def host_result(steps, host, env_path, service):
    """The result of one host from its registered steps: ``probe``, ``change``, ``shared`` and ``service``.

    A later batch registers the same names again, as skipped; so what must last is in the result.
    """
    change, shared, restart = (dict(steps.get(name) or {}) for name in ("change", "shared", "service"))
    why = batches.unreachable_reason(list(steps.values()))
    # A host that was lost after its probe may have been changed: nobody can tell, so it counts as changed.
    lost_on_the_way = bool(why) and not (steps.get("probe") or {}).get("unreachable")
    result = {
        "state": "failed" if why else "ok",
        "changed": bool(change.get("changed") or restart.get("changed") or lost_on_the_way),
        "restarted": bool(restart.get("restarted") or lost_on_the_way),
        "shared_changed": bool(shared.get("changed")),
        "shared_failed": bool(shared.get("failed")),  # one of several may be written
        "lines": story.shared_lines(shared) + story.host_lines(host, env_path, service, change, restart),
        "connections": restart.get("connections") or {},
    }
    return {**result, "step": "reach the host", "why": why} if why else result


def hosts_led_to_target(hosts, hostvars, name, shared):
    """The hosts whose own value, or else the shared one, led to the target before this run, by its looks."""
    return [host for host in hosts if batches.leads_to_target(hostvars[host].get(name) or {}, shared)]


def hosts_begun_before(hosts, hostvars, name, shared):
    """The hosts whose own value, or else the shared one, an earlier run has changed, by looks of this run."""
    return [host for host in hosts if batches.is_begun(hostvars[host].get(name) or {}, shared)]


def hosts_on_target(hosts, hostvars, name):
    """The hosts of which a look, registered under ``name``, found nothing that a restart would have to mend."""
    looks = {host: hostvars[host].get(name) or {} for host in hosts}
    return [host for host, look in looks.items() if look.get("restarted") is False and not look.get("unreachable")]


def hosts_to_put_back(hosts, hostvars):
    """The hosts that are not as they were before the migration, by what a rollback saw of them."""
    seen = {host: (hostvars[host].get("__rollback_seen"), hostvars[host].get("__rollback_running")) for host in hosts}
    return [host for host, looks in seen.items() if rollback.is_to_put_back(*(look or {} for look in looks))]


def hosts_to_switch(hosts, hostvars, shared):
    """The hosts that a cutover would change, by what it saw of them and of the shared value."""
    seen = {host: (hostvars[host].get("__cutover_seen"), hostvars[host].get("__cutover_running")) for host in hosts}
    return [host for host, (own, running) in seen.items() if batches.is_to_switch(own or {}, shared, running or {})]


def hosts_out_of_reach(hosts, hostvars):
    """The hosts that a rollback could not look at, and why."""
    seen = {host: (hostvars[host].get("__rollback_seen"), hostvars[host].get("__rollback_running")) for host in hosts}
    reasons = {host: batches.unreachable_reason([look or {} for look in looks]) for host, looks in seen.items()}
    return {host: why for host, why in reasons.items() if why}


def hosts_that_failed(hosts, hostvars, name, endpoint):
    """The hosts whose probe, registered under ``name``, failed or did not reach them, and why."""
    reasons = {host: batches.probe_failure(hostvars[host].get(name) or {}, endpoint) for host in hosts}
    return {host: why for host, why in reasons.items() if why}


def old_redis_unproven(hosts, hostvars, name, endpoint):
    """The hosts whose probe, registered under ``name``, did not reach the old Redis, and why."""
    return rollback.unproven({host: hostvars[host].get(name) or {} for host in hosts}, endpoint)


def old_redis_unasked(hosts, hostvars, name):
    """The hosts whose probe, registered under ``name``, could not even ask, and why."""
    return rollback.unable({host: hostvars[host].get(name) or {} for host in hosts})


def place_after(change):
    """Where a value leads after its change, as ``{address, port}``, or nothing."""
    return batches.location_now([change], [])


def location_of(endpoint):
    """The endpoint as a list of places, empty where it is not known yet."""
    known = endpoint and endpoint.get("state") != AFTER_APPLY
    return [{"address": endpoint["address"], "port": int(endpoint["port"])}] if known else []


def host_standings(hosts, hostvars, endpoint):
    """Where each host stands, from what the role state has registered on it."""
    names = ("__state_value", "__state_shared", "__state_running")
    looks = {host: [dict(hostvars[host].get(name) or {}) for name in names] for host in hosts}
    return {host: standing.host_standing(*look, endpoint) for host, look in looks.items()}


def ingress_rule(source, port, name):
    """The rule of amazon.aws.ec2_security_group that admits one security group or address range."""
    who = {"group_id": source} if source.startswith("sg-") else {"cidr_ip": source}
    description = cache_security_group.rule_description(name)
    return {"proto": "tcp", "from_port": int(port), "to_port": int(port), "rule_desc": description, **who}


def ingress_missing(sources, groups, port):
    """The sources that no rule of the group admits yet, whoever made it: one that is there is not made again as ours.

    ``groups`` is what amazon.aws.ec2_security_group_info found, nothing where the group is still to be made.
    """
    admitted = {
        source.get("group_id") or source.get("cidr_ip")
        for group in groups
        for rule in group["ip_permissions"]
        if cache_security_group.admits_port(rule, int(port))
        for source in [*rule.get("user_id_group_pairs", []), *rule.get("ip_ranges", [])]
    }
    return [source for source in sources if source not in admitted]


def migration_lines(hosts, hostvars):
    """Everything that changed in a run, or would, in the order in which it does."""
    lines = []
    for host in hosts:
        known = hostvars[host]
        lines += known.get("__migration_lines_provision") or []
        lines += known.get("__migration_lines_ingress") or []
        lines += (known.get("__cutover_result") or {}).get("lines") or []
    lines += story.check_lines(_first_of("__cutover_checks", hosts, hostvars) or [])
    steps = [_first_of(name, hosts, hostvars) or {} for name in ("__cutover_remembered", "__cutover_forgotten")]
    lines += story.ledger_lines(*steps)
    return lines or ["Nothing: everything is as it should be."]


def _first_of(name, hosts, hostvars):
    """What the whole run knows is on every host that was in it; a limit leaves others out."""
    return next((hostvars[host][name] for host in hosts if name in hostvars[host]), None)


def probe_figures(probes):
    """What of a probe belongs into a record."""
    keep = ("reached", "after_apply", "latency_ms", "client_address", "server", "through")
    return {host: {key: probe[key] for key in keep if key in probe} for host, probe in probes.items()}


def token_placeholder(_nothing=""):
    """A token for the plan of a run that would make one."""
    return token_rotation.PLACEHOLDER


def token_refusal(secret, name, entry, groups, playbook):
    """Why the current version of a secret must not be handed to the app; empty where it may."""
    return token_rotation.refusal(name, secret, entry, groups, playbook)


def token_course(secret, name, entry, wants_new):
    """What a rotation of the token has to do."""
    try:
        return token_rotation.course(name, secret, entry, bool(wants_new))
    except token_rotation.RotationRefused as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of kempian.cache_migration."""

    def filters(self):
        return {
            "assess_lines": story.assess_lines,
            "cache_endpoint": cache_endpoint,
            "cache_hosts_elsewhere": cache_hosts_elsewhere,
            "cache_parameter_group_family": cache_parameter_group_family,
            "cache_url": cache_url,
            "cost_line": story.cost_line,
            "cutover_batches": cutover_batches,
            "cutover_failed": batches.failed_hosts,
            "cutover_phase": own_check.phase_after,
            "cutover_to_put_back": batches.hosts_to_put_back,
            "cutover_verdict": verdict.verdict,
            "cutover_would_change": batches.would_change,
            "host_result": host_result,
            "host_standings": host_standings,
            "hosts_begun_before": hosts_begun_before,
            "hosts_led_to_target": hosts_led_to_target,
            "hosts_on_target": hosts_on_target,
            "hosts_out_of_reach": hosts_out_of_reach,
            "hosts_that_failed": hosts_that_failed,
            "hosts_to_put_back": hosts_to_put_back,
            "hosts_to_switch": hosts_to_switch,
            "ingress_lines": story.ingress_lines,
            "ingress_missing": ingress_missing,
            "ingress_rule": ingress_rule,
            "is_changed_before": batches.is_changed_before,
            "is_cutover_to": batches.is_cutover_to,
            "is_recorded": rollback.is_recorded,
            "is_to_be_made": token_rotation.is_to_be_made,
            "journal_parameter": ssm_store.journal_name,
            "left_behind": rollback.left_behind,
            "location_now": batches.location_now,
            "location_of": location_of,
            "locations_to_leave": batches.locations_to_leave,
            "migration_lines": migration_lines,
            "migration_playbook": playbooks.word,
            "migration_results": migration_results,
            "old_redis_refusal": rollback.refusal,
            "old_redis_unasked": old_redis_unasked,
            "old_redis_unproven": old_redis_unproven,
            "place_after": place_after,
            "probe_figures": probe_figures,
            "provision_lines": story.provision_lines,
            "remembered_hosts": batches.remembered_hosts,
            "removal_lines": rollback.removal_lines,
            "rollback_lines": story.rollback_lines,
            "shared_failure": batches.shared_failure,
            "rotation_leads_to": token_rotation.leads_to,
            "rotation_lines": token_rotation.lines,
            "rotation_verdict": token_rotation.verdict,
            "state_lines": standing.state_lines,
            "token_course": token_course,
            "token_entry": token_rotation.entry_of,
            "token_entry_under_way": token_rotation.entry_under_way,
            "token_placeholder": token_placeholder,
            "token_refusal": token_refusal,
            "unreachable_reason": batches.unreachable_reason,
            "untouched_verdict": verdict.untouched,
        }
