# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The app: what it reads, and what runs it."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import forms
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import ADDRESSES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import LOOKS, MOVES

_VALUE: dict[str, dict[str, Any]] = {
    "store": {
        "type": "str",
        "choices": list(ADDRESSES),
        "required": True,
        "description": "Where it is: in a C(.env) file on each host, or in a parameter of SSM that all hosts share.",
    },
    "path": {"type": "str", "description": "The file, with C(store=dotenv)."},
    "parameter": {"type": "str", "description": "The name of the parameter, with C(store=ssm)."},
    "keys": {
        "type": "dict",
        "description": (
            "With C(store=dotenv), each key with the form that it holds; C({REDIS_URL: url}) where left out. A key "
            "with a database of its own is C({CELERY_BROKER_URL: {form: url, database: 1, reader: celery-broker}}). "
            "The forms are C(url), the parts "
            + ", ".join(f"C({part})" for part in forms.PARTS if part not in (forms.URL, forms.TLS))
            + " and "
            "C(tls) (with the words of the app, as C({form: tls, on: 'True', off: 'False'})), and for anything else a "
            "C(template) of these, as C({template: '{host}:{port}'}), with the filters C(percent) and C(base64), as "
            "C({password|percent}). A C(literal) is a text as it is, as the word by which the app chooses its client: "
            "C({REDIS_CLUSTER: {literal: 'true', added: true}}). Parts of one file lead to one place; those of another "
            "have a C(group). "
            "A key with C(added: true) need not be in the file, and goes again on the way back."
        ),
    },
    "dialect": {
        "type": "list",
        "elements": "str",
        "description": (
            "With C(store=dotenv), who reads the file, as M(kempian.cache_migration.env_update) has it. Left out, "
            "it must be the same to all readers."
        ),
    },
    "form": {
        "type": "str",
        "choices": [forms.URL],
        "default": forms.URL,
        "description": "With C(store=ssm), the form that the parameter holds. C(url) is the cache's whole URL.",
    },
    "database": {
        "type": "int",
        "description": "With C(store=ssm), the number of its database; C(migration_database) where left out.",
    },
    "reader": {
        "type": "str",
        "choices": list(forms.READERS),
        "default": forms.REDIS_PY,
        "description": (
            "With C(store=ssm), who reads it, as a key of a file may name its own. For Celery's broker and result "
            "backend the URL says that certificates are verified: without, the broker verifies none, and the backend "
            "does not start. With C(none) the URL has no options at all, those of the old one included, for an app "
            "that appends its own."
        ),
    },
}

_SERVICE: dict[str, dict[str, Any]] = {
    "name": {
        "type": "str",
        "required": True,
        "description": (
            "A unit, or with supervisor a program or a group (C(shop:*)). A glob (C(web@*)) means every service that "
            "matches, each proven. Of a timer (C(report.timer)) nothing is restarted, as what it starts reads its "
            "values anew; it is proven when nothing that it started is on the old Redis any more."
        ),
    },
    "manager": {
        "type": "str",
        "choices": ["systemd", "supervisor", "command"],
        "default": "systemd",
        "description": "What runs it. C(command) is C(restart_command), with C(pid_file), for what has none of these.",
    },
    "scope": {
        "type": "str",
        "choices": ["system", "user"],
        "default": "system",
        "description": (
            "Whose systemd: C(user) is that of the user in C(user), for units in his C(~/.config/systemd/user). It "
            "must run without a login (C(loginctl enable-linger))."
        ),
    },
    "user": {
        "type": "str",
        "default": "",
        "description": "The user of C(scope), or who runs C(restart_command). Left empty, O(migration_app_user).",
    },
    "supervisorctl": {
        "type": "list",
        "elements": "str",
        "default": ["supervisorctl"],
        "description": "How C(supervisorctl) is called.",
    },
    "restart_command": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": (
            "The program and its arguments, each a word, that restart it. It runs as C(user) and by no shell, never as "
            "root but by C(sudo). All that belonged to the service must have ended after it."
        ),
    },
    "pid_file": {
        "type": "str",
        "default": "",
        "description": "The file with the number of its first process, whose children and process group belong to it.",
    },
    "health_url": {
        "type": "str",
        "default": "",
        "description": (
            "Its health check, as asked on the host itself. It must answer 200, and go through Redis, so that an "
            "app that connects when it is asked does connect; a plan asks it too, where no connection says where the "
            "app is. With a glob, C(%i) in it is the instance of each unit, as in a unit file "
            "(C(http://127.0.0.1:%i/healthz)). Left empty, only processes and connections count."
        ),
    },
    "health_headers": {
        "type": "dict",
        "default": {},
        "description": (
            "Headers of that request, for an app that refuses a host name that it does not know, or redirects to "
            "https: C({Host: shop.example.com, X-Forwarded-Proto: https})."
        ),
    },
    "queues": {
        "type": "dict",
        "default": {},
        "description": (
            "Queues whose jobs it does, by the key of a file in C(migration_values) that has the URL or the host of "
            "their Redis: C({CELERY_BROKER_URL: [celery, unacked]}) of Celery, C({REDIS_URL: ['rq:queue:default', "
            "'rq:wip:default']}) of RQ. On the hosts of the last batch, which nobody is left behind to help, it is "
            "restarted when they are empty there, so that no job stays behind. They have C(migration_queues_timeout) "
            "seconds for that, or all is put back (C(migration_queues_left)); the way back does not wait for longer, "
            "and says what it leaves. Where the data comes along, what is due later is moved, and not waited for; "
            "with C(migration_transfer: live) nothing is waited for. Name "
            "it after the services that place jobs, and hosts that do "
            "jobs alone last in the inventory."
        ),
    },
}

APP = Part(
    "The app",
    (
        Option(
            "values",
            "What the app reads: every place that holds the cache's URL, or parts of it. All are changed, proven "
            "and put back as one. Left empty, a run changes nothing, and proposes it by what the services read.",
            "list",
            [],
            elements="dict",
            options=_VALUE,
        ),
        Option(
            "unmoved_keys",
            "Keys of the files in C(migration_values) that lead to the old Redis and may go on to do so. Any other "
            "is refused, as the app would be on two caches.",
            "list",
            [],
            elements="str",
            stages=("assess", "cutover"),
        ),
        Option(
            "services",
            "The app's services, in the order of their restart. Whatever else reads the same values is neither "
            "restarted nor proven; a process of a host that is connected to the old Redis all the same is told.",
            "list",
            [],
            elements="dict",
            options=_SERVICE,
            stages=(*LOOKS, "ingress"),
        ),
        Option(
            "app_python",
            "The app's own interpreter, as its virtual environment's, so that its own redis-py is what proves. "
            "Left empty, the collection's own client does.",
            stages=(*LOOKS, "ingress"),
        ),
        Option(
            "app_user",
            "The user that the app runs as, who runs its interpreter; required with O(migration_app_python).",
            stages=(*LOOKS, "ingress"),
        ),
        Option(
            "app_ready_for",
            "What the app can by now that one which makes its client by C(redis.from_url) and a password cannot, "
            "as a list: C(redis-cluster), as C(redis.cluster.RedisCluster), C(memcached), or C(iam), to log in by "
            "tokens that it makes of its credentials. Without it a target that needs it is refused, with what of "
            "the app would break.",
            "list",
            [],
            elements="str",
            choices=("", REDIS_CLUSTER, MEMCACHED, "iam"),
            stages=("assess", "cutover"),
        ),
        Option(
            "health_requests",
            "How many health requests in a row must succeed.",
            "int",
            5,
            stages=(*MOVES, "state"),
        ),
        Option(
            "timeout",
            "Seconds for a service to be healthy and connected after its restart.",
            "float",
            60,
            stages=(*MOVES, "state"),
        ),
        Option(
            "database",
            "The number of the database that the app uses, where a key of C(migration_values) has none of its own. "
            "Another one in the old URL is refused.",
            "int",
            0,
            stages=("assess", "ingress", "transfer", "cutover", "rotate"),
        ),
        Option(
            "state_dir",
            "The folder on the hosts where originals are kept, readable by root only; the last backup passes "
            "through it.",
            default="/var/lib/cache_migration",
        ),
    ),
)
