# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What app_host_info and app_host_change have in common, which look at an app host as a whole, and change it.

The same options for argument_spec are core.host_options, VALUES of stores.on_host, and SERVICES and PLACES of
host.service.order.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  migration_name:
    description: The migration in whose journal on this host the originals are.
    type: str
    required: true
  state_dir:
    description: The directory on the host with the journals, as M(kempian.cache_migration.env_update) has it.
    type: path
    default: /var/lib/cache_migration
  values:
    description: The values that the app reads on this host.
    type: list
    elements: dict
    default: []
    suboptions:
      store:
        description: As M(kempian.cache_migration.env_update) has it.
        type: str
        choices: [dotenv]
        default: dotenv
      path:
        description: The file that the app reads.
        type: path
        required: true
      keys:
        description: The names of the values, each with what it is to hold, which O(state=reverted) does not need.
        type: dict
        required: true
      dialect:
        description: As M(kempian.cache_migration.env_update) has it.
        type: list
        elements: str
        default: []
      forms:
        description:
          - Of the keys that hold something else than a URL, each with its C(template) of parts in braces (as
            C({host}:{port})), the words for TLS (C(on), C(off)), the name of the C(group) of keys that lead somewhere
            together, whether it is C(added) where it is not there, and its C(reader), of which C(none) takes no options
            in a URL.
        type: dict
        default: {}
  state:
    description: What is to be done to O(values), as M(kempian.cache_migration.env_update) does it.
    type: str
    choices: [present, reverted]
    default: present
  keep_options:
    description: As M(kempian.cache_migration.env_update) has it.
    type: bool
    default: true
  services:
    description: The app's services, as M(kempian.cache_migration.app_service) takes them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service.
        type: str
        required: true
      manager:
        description: What runs it.
        type: str
        choices: [systemd, supervisor, command]
        default: systemd
      scope:
        description: Whose systemd, as M(kempian.cache_migration.app_service) has it.
        type: str
        choices: [system, user]
        default: system
      user:
        description: The user of C(scope), or who runs C(restart_command).
        type: str
      supervisorctl:
        description: The command for supervisor with its options.
        type: list
        elements: str
        default: [supervisorctl]
      restart_command:
        description: What restarts it, with C(manager=command). It may hold a secret.
        type: list
        elements: str
        default: []
      pid_file:
        description: The file with the number of its first process, with C(manager=command).
        type: path
      health_url:
        description: Where the app is asked for its health after a restart.
        type: str
      health_headers:
        description: Headers of these requests. They may hold a secret.
        type: dict
        default: {}
      health_requests:
        description: How many good answers in a row are needed.
        type: int
        default: 5
      restart:
        description: As M(kempian.cache_migration.app_service) has it.
        type: str
        choices: [auto, always, never]
        default: auto
      timeout:
        description: How long the proof of a restart may take, in seconds.
        type: float
        default: 60.0
      queues:
        description: As M(kempian.cache_migration.app_service) has it.
        type: list
        elements: dict
        default: []
        suboptions:
          names:
            description: The names of the keys.
            type: list
            elements: str
            required: true
          url:
            description: As M(kempian.cache_migration.app_service) has it.
            type: str
          protocol:
            description: As M(kempian.cache_migration.app_service) has it.
            type: str
            default: redis
          env_path:
            description: As M(kempian.cache_migration.app_service) has it.
            type: path
          env_key:
            description: As M(kempian.cache_migration.app_service) has it.
            type: str
          forms:
            description: As M(kempian.cache_migration.app_service) has it.
            type: dict
            default: {}
          migration_name:
            description: As M(kempian.cache_migration.app_service) has it.
            type: str
          state_dir:
            description: As M(kempian.cache_migration.app_service) has it.
            type: path
            default: /var/lib/cache_migration
          later_comes_along:
            description: As M(kempian.cache_migration.app_service) has it.
            type: bool
            default: false
      queues_timeout:
        description: As M(kempian.cache_migration.app_service) has it.
        type: float
      may_leave_jobs:
        description: As M(kempian.cache_migration.app_service) has it.
        type: bool
        default: false
  leave:
    description:
      - Places where no process may be connected any more, beside where O(values) led before, which counts too where
        they go to O(endpoint).
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: A name or an address.
        type: str
        required: true
      port:
        description: The TCP port.
        type: int
        required: true
      protocol:
        description: What it speaks. With another than V(redis) connections to O(leave[].nodes) count too.
        type: str
        default: redis
      nodes:
        description: The nodes of a cluster, each with C(address) and C(port).
        type: list
        elements: dict
        default: []
  leave_cluster:
    description:
      - A cluster that is left. Its nodes, as it tells them to this host, are places of O(leave) too. Where it does not
        answer, those of the endpoint are alone.
    type: dict
    suboptions:
      endpoint:
        description: The endpoint as M(kempian.cache_migration.elasticache_cluster) returns it.
        type: dict
        required: true
      auth_token:
        description: Its token (password).
        type: str
  probe:
    description: Prove that the app reaches the target. Left out, that is not asked.
    type: dict
    suboptions:
      endpoint:
        description: The endpoint as M(kempian.cache_migration.elasticache_cluster) returns it.
        type: dict
        required: true
      auth_token:
        description: Its token (password).
        type: str
      uses:
        description:
          - How the app uses it. Each is proven, by the library that reads it where O(python) has that.
          - Left empty, its database 0 is.
        type: list
        elements: dict
        default: []
        suboptions:
          database:
            description: The number of the database.
            type: int
            default: 0
          reader:
            description: What reads the URL, as the option C(migration_values) of the roles has it.
            type: str
            choices: [redis-py, django, rq, celery-broker, celery-backend, none]
            default: redis-py
      write:
        description: The probe writes a key of its own. Never in check mode.
        type: bool
        default: true
  timeout:
    description: How long each stage of a probe, and each answer of a survey, may take, in seconds.
    type: float
    default: 5.0
  python:
    description:
      - The app's own interpreter, as M(kempian.cache_migration.cache_probe) takes it. It answers all probes at once,
        and nothing else, as what is read of a cache beside that counts for all hosts.
    type: path
  user:
    description: The user that the app runs as, as M(kempian.cache_migration.cache_probe) takes it.
    type: str
"""
