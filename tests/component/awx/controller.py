"""A stand-in of AWX's REST API: it holds what it is given, and refuses what AWX 24 refuses of what the definitions use.

Each rule is one of AWX's own: of its serializers (fields, playbooks of a project, schedules), `_validate_spec_data` and
`_survey_element_validation` (surveys), `_accept_or_ignore_variables` (what may be said at a launch), the schema of
injectors, one credential of a type. It runs no job, knows no permissions, and refuses a field that it does not know.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
from jinja2 import meta

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "stand-in"
REVISION = "0" * 40
PREFIX = "/api/v2/"
TEXT, FLAG, WHOLE, MAPPING = str, bool, int, dict
PROMPTS = {"ask_limit_on_launch": FLAG, "survey_enabled": FLAG, "allow_simultaneous": FLAG}
# The fields of each: a type, or the collection whose object's id it is.
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "organizations": {"name": TEXT, "description": TEXT},
    "teams": {"name": TEXT, "description": TEXT, "organization": "organizations"},
    "labels": {"name": TEXT, "organization": "organizations"},
    "credential_types": {"name": TEXT, "description": TEXT, "kind": TEXT, "inputs": MAPPING, "injectors": MAPPING,
                         "managed": FLAG},
    "credentials": {"name": TEXT, "description": TEXT, "organization": "organizations", "inputs": MAPPING,
                    "credential_type": "credential_types"},
    "execution_environments": {"name": TEXT, "description": TEXT, "image": TEXT, "pull": TEXT},
    "notification_templates": {"name": TEXT, "description": TEXT, "organization": "organizations",
                               "notification_type": TEXT, "notification_configuration": MAPPING},
    "projects": {"name": TEXT, "description": TEXT, "organization": "organizations", "scm_type": TEXT, "scm_url": TEXT,
                 "scm_branch": TEXT, "scm_clean": FLAG, "scm_update_on_launch": FLAG, "credential": "credentials"},
    "inventories": {"name": TEXT, "description": TEXT, "organization": "organizations", "kind": TEXT,
                    "host_filter": TEXT},
    "inventory_sources": {"name": TEXT, "description": TEXT, "inventory": "inventories", "source": TEXT,
                          "source_project": "projects", "source_path": TEXT, "source_vars": TEXT,
                          "credential": "credentials",
                          "execution_environment": "execution_environments", "overwrite": FLAG,
                          "overwrite_vars": FLAG, "update_on_launch": FLAG},
    "job_templates": {"name": TEXT, "description": TEXT, "organization": "organizations", "project": "projects",
                      "inventory": "inventories", "execution_environment": "execution_environments", "playbook": TEXT,
                      "job_type": TEXT, "extra_vars": TEXT, "diff_mode": FLAG, **PROMPTS},
    "workflow_job_templates": {"name": TEXT, "description": TEXT, "organization": "organizations", **PROMPTS},
    "workflow_job_template_nodes": {"identifier": TEXT, "type": TEXT, "extra_data": MAPPING,
                                    "workflow_job_template": "workflow_job_templates",
                                    "unified_job_template": "unified_job_templates"},
    "workflow_approval_templates": {"name": TEXT, "description": TEXT, "timeout": WHOLE},
    "schedules": {"name": TEXT, "description": TEXT, "rrule": TEXT, "enabled": FLAG, "extra_data": MAPPING,
                  "unified_job_template": "unified_job_templates"},
    "project_updates": {},
}  # fmt: skip
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "labels": ("name", "organization"),
    "credential_types": ("name", "kind"),
    "credentials": ("name", "credential_type", "organization"),
    "execution_environments": ("name", "image"),
    "inventories": ("name", "organization"),
    "inventory_sources": ("name", "inventory", "source"),
    "job_templates": ("name", "project", "playbook"),
    "workflow_job_template_nodes": ("identifier", "workflow_job_template"),
    "schedules": ("name", "rrule", "unified_job_template"),
}
CHOICES = {
    ("credential_types", "kind"): ("net", "cloud"),
    ("execution_environments", "pull"): ("", "always", "missing", "never"),
    ("inventories", "kind"): ("", "smart", "constructed"),
    ("job_templates", "job_type"): ("", "run", "check"),
    ("projects", "scm_type"): ("", "git", "svn", "insights", "archive"),
    ("inventory_sources", "source"): ("scm", "ec2", "constructed"),
}
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")
ASSOCIATED = {"labels": "labels", "credentials": "credentials", **{f"{when}_nodes": "workflow_job_template_nodes"
              for when in ("success", "failure", "always")}, **{f"notification_templates_{when}":
              "notification_templates" for when in ("started", "success", "error", "approvals")}}  # fmt: skip
# Some of the roles that each has.
ROLES: Mapping[str, tuple[str, ...]] = {
    "job_templates": ("admin_role", "execute_role", "read_role"),
    "workflow_job_templates": ("admin_role", "execute_role", "approval_role", "read_role"),
    "inventories": ("admin_role", "update_role", "use_role", "read_role"),
    "credentials": ("admin_role", "use_role", "read_role"),
}
ROLE = 10  # a role's id is its object's, times this, and its place above
ANSWERS = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int,
           "float": float}  # fmt: skip


class Refused(Exception):
    def __init__(self, status: int, **why: Any) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def check_survey(spec: Mapping[str, Any]) -> None:
    """Raises Refused where AWX does not take it for a survey."""
    if not (isinstance(spec.get("name"), str) and isinstance(spec.get("description"), str) and spec.get("spec")):
        raise Refused(400, error="name, description and at least one question are needed")
    variables = [question.get("variable") for question in spec["spec"]]
    if len(set(variables)) < len(variables):
        raise Refused(400, error=f"'variable' duplicated: {variables}")
    for question in spec["spec"]:
        _check_question(question)


def _check_question(question: Mapping[str, Any]) -> None:
    named = question.get("variable")
    for field, of in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if not isinstance(question.get(field), of):
            raise Refused(400, error=f"{field} of {named} is missing, or no {of.__name__}")
    kind, default = question["type"], question.get("default", "")
    if kind not in ANSWERS or (default != "" and not isinstance(default, ANSWERS[kind])):
        raise Refused(400, error=f"{named}: {kind} with the default {default!r}")
    if any(not isinstance(question[limit], int) for limit in ("min", "max") if limit in question):
        raise Refused(400, error=f"{named}: a limit is no whole number")
    if kind in ("multiplechoice", "multiselect"):
        choices = choices_of(question)
        if not choices or "" in choices or any(each not in choices for each in str(default).splitlines()):
            raise Refused(400, error=f"{named}: the choices {choices} with the default {default!r}")
    elif kind == "password" and "default" in question:
        raise Refused(400, error=f"{named}: a password in the definitions")


def choices_of(question: Mapping[str, Any]) -> list[str]:
    choices = question.get("choices") or []
    return choices.splitlines() if isinstance(choices, str) else choices


def wrong_answer(question: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """What AWX says of an answer at a launch; empty where it takes it."""
    name, kind = question["variable"], question["type"]
    if name not in said:
        return f"'{name}' value missing" if question["required"] else ""
    answer = said[name]
    if kind in ("text", "textarea", "password"):
        is_taken = isinstance(answer, str) and len(answer) >= question.get("min", 0)
    elif kind == "multiplechoice":
        is_taken = answer in choices_of(question)
    elif kind == "multiselect":
        is_taken = isinstance(answer, list) and set(answer) <= set(choices_of(question))
    else:
        is_taken = type(answer) in ((int,) if kind == "integer" else (int, float))
    return "" if is_taken else f"Value {answer!r} for '{name}' is not one that the question takes"


class Controller:
    """What AWX holds. A project that was synced has the playbooks of this checkout."""

    def __init__(self) -> None:
        self.held: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in FIELDS}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.granted: dict[int, list[int]] = {}  # the teams that have a role
        self.writes: list[str] = []
        self.synced: set[int] = set()
        self._last = 0
        for name in ("Machine", "Amazon Web Services", "Source Control"):
            self._put("credential_types", {"name": name, "kind": "cloud", "inputs": {}, "injectors": {}})
        self._put("organizations", {"name": "Default"})

    def _put(self, collection: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._last += 1
        blank = {str: "", bool: False, int: 0, dict: {}}
        given = {name: blank.get(of) for name, of in FIELDS[collection].items()}
        one = {
            **given,
            **fields,
            "id": self._last,
            "type": collection[:-1],
            "url": f"{PREFIX}{collection}/{self._last}/",
        }
        self.held[collection][self._last] = one
        return one

    def names(self, collection: str) -> list[str]:
        return [one.get("name") or one["identifier"] for one in self.held[collection].values()]

    def one(self, collection: str, name: str) -> dict[str, Any]:
        [found] = [one for one in self.held[collection].values() if name in (one.get("name"), one.get("identifier"))]
        return found

    def linked(self, collection: str, name: str, by: str) -> list[str]:
        ids = self.links.get((collection, self.one(collection, name)["id"], by), [])
        held = self.held[ASSOCIATED[by]]
        return [held[each].get("name") or held[each]["identifier"] for each in ids]

    def shown(self, collection: str, one: Mapping[str, Any]) -> dict[str, Any]:
        related = {"survey_spec": f"{one['url']}survey_spec/", "update": f"{one['url']}update/"}
        if collection == "workflow_job_template_nodes" and one["unified_job_template"]:
            related["unified_job_template"] = self._unified(one["unified_job_template"])["url"]
        revision = {"scm_revision": REVISION if one["id"] in self.synced else ""} if collection == "projects" else {}
        roles = {role: {"id": one["id"] * ROLE + at} for at, role in enumerate(ROLES.get(collection, ()))}
        return {**one, **revision, "related": related, "summary_fields": {"object_roles": roles}}

    def teams_of(self, role: int, body: Mapping[str, Any]) -> tuple[int, Any]:
        """The teams that have a role, or that one more has it now."""
        teams = self.granted.setdefault(role, [])
        if body:
            teams.append(body["id"])
            return 204, None
        return 200, {"count": len(teams), "next": None, "results": [self.held["teams"][team] for team in teams]}

    def roles_of(self, team: str) -> set[tuple[str, str]]:
        """The names of what a team has a role of, each with the role."""
        number, found = self.one("teams", team)["id"], set()
        for role in (role for role, teams in self.granted.items() if number in teams):
            kind = next(kind for kind in ROLES if role // ROLE in self.held[kind])
            found.add((self.held[kind][role // ROLE]["name"], ROLES[kind][role % ROLE].removesuffix("_role")))
        return found

    def _unified(self, number: int) -> dict[str, Any]:
        return next(self.held[kind][number] for kind in UNIFIED if number in self.held[kind])

    # What a request asks for

    def listed(self, collection: str, wanted: Mapping[str, str]) -> dict[str, Any]:
        kinds = UNIFIED if collection == "unified_job_templates" else (collection,)
        found = [
            self.shown(kind, one)
            for kind in kinds
            for one in self.held[kind].values()
            if all(str(one.get(field.removeprefix("or__"))) == value for field, value in wanted.items())
        ]
        return {"count": len(found), "next": None, "results": found}

    def made(self, collection: str, fields: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in REQUIRED.get(collection, ("name",)) if fields.get(name) in (None, "")]
        if missing:
            raise Refused(400, **dict.fromkeys(missing, "This field is required."))
        self._check(collection, fields, None)
        one = self._put(collection, fields)
        if collection == "projects":
            update = self._put("project_updates", {"project": one["id"]})
            return {**self.shown(collection, one), "summary_fields": {"current_update": update}}
        return self.shown(collection, one)

    def changed(self, collection: str, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        one = self.held[collection][number]
        checked = {**one, **fields}
        self._check(collection, checked, number)
        one.update(checked)
        return self.shown(collection, one)

    def _check(self, collection: str, fields: dict[str, Any], number: int | None) -> None:
        texts = [name for name, of in FIELDS[collection].items() if of is TEXT]
        fields.update({name: "" for name in texts if name in fields and fields[name] is None})  # as CharNullField does
        for name, value in fields.items():
            of = FIELDS[collection].get(name)
            if of is None and name not in ("id", "url", "type", "project"):
                raise Refused(400, **{name: "no field of the API"})
            if isinstance(of, str) and value is not None and not any(
                value in self.held[kind] for kind in (UNIFIED if of == "unified_job_templates" else (of,))
            ):  # fmt: skip
                raise Refused(400, **{name: f'Invalid pk "{value}" - object does not exist.'})
            if isinstance(of, type) and value is not None and not isinstance(value, of):
                raise Refused(400, **{name: f"Not a valid {of.__name__}: {value!r}"})
            if value not in CHOICES.get((collection, name), (value,)):
                raise Refused(400, **{name: f'"{value}" is not a valid choice.'})
        same = [one for one in self.held[collection].values() if self._is_same(collection, one, fields)]
        if any(one["id"] != number for one in same):
            raise Refused(400, __all__=[f"{collection} with this name already exists."])
        check = getattr(self, f"_check_{collection}", None)
        if check:
            check(fields)

    def _is_same(self, collection: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        unique = ("name", "organization", "identifier", "inventory", "workflow_job_template", "unified_job_template")
        if collection in ("credentials", "project_updates", "workflow_approval_templates"):
            return False
        of = [name for name in unique if name in FIELDS[collection]]
        of = ["workflow_job_template", "identifier"] if collection == "workflow_job_template_nodes" else of
        return all(one.get(name) == other.get(name) for name in of)

    def _check_credential_types(self, fields: Mapping[str, Any]) -> None:
        inputs = fields.get("inputs") or {}
        known = {field["id"] for field in inputs.get("fields", [])}
        if set(inputs) - {"fields", "required"} or not known >= set(inputs.get("required", [])):
            raise Refused(400, inputs="not what AWX takes")
        injectors = fields.get("injectors") or {}
        if set(injectors) - {"file", "env", "extra_vars"}:
            raise Refused(400, injectors="not what AWX takes")
        for template in (text for each in injectors.values() for text in each.values()):
            used = meta.find_undeclared_variables(jinja2.Environment().parse(template))
            if not used or used - known - {"tower"}:
                raise Refused(400, injectors=f"{template!r} uses an undefined field")

    def _check_projects(self, fields: Mapping[str, Any]) -> None:
        if fields.get("scm_type") and not fields.get("scm_url"):
            raise Refused(400, scm_url="SCM URL is required.")

    def _check_inventory_sources(self, fields: Mapping[str, Any]) -> None:
        if fields["source"] == "scm" and not fields.get("source_project"):
            raise Refused(400, source_project="Project required for scm type sources.")

    def _check_job_templates(self, fields: Mapping[str, Any]) -> None:
        if fields["project"] not in self.synced or not (ROOT / fields["playbook"]).is_file():
            raise Refused(400, playbook="Playbook not found for project.")
        json.loads(fields.get("extra_vars") or "{}")

    def _check_workflow_job_template_nodes(self, fields: Mapping[str, Any]) -> None:
        if fields.get("unified_job_template"):
            self._check_launch(fields["unified_job_template"], fields.get("extra_data") or {}, is_asked_later=True)

    def _check_schedules(self, fields: Mapping[str, Any]) -> None:
        rule = fields["rrule"]
        if not re.match(r"DTSTART(;[^:]+)?:\d+T\d+Z", rule) or "RRULE:" not in rule or "INTERVAL" not in rule:
            raise Refused(400, rrule="Valid DTSTART required in rrule, and INTERVAL.")
        self._check_launch(fields["unified_job_template"], fields.get("extra_data") or {})

    def _check_launch(self, number: int, said: Mapping[str, Any], is_asked_later: bool = False) -> None:
        template = self._unified(number)
        questions = self.surveys.get(number, {}).get("spec", []) if template.get("survey_enabled") else []
        asked = [q for q in questions if not is_asked_later or q["variable"] in said]
        wrong = [told for told in (wrong_answer(question, said) for question in asked) if told]
        if wrong:
            raise Refused(400, variables_needed_to_start=wrong)
        strange = set(said) - {question["variable"] for question in questions}
        if strange:
            raise Refused(400, extra_vars=f"Variables {sorted(strange)} are not allowed on launch.")

    def launched(self, collection: str, number: int, said: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of the job: those of the template, defaults of its survey that are answers, and answers."""
        self._check_launch(number, said)
        stated = json.loads(self.held[collection][number]["extra_vars"] or "{}")
        questions = [q for q in self.surveys.get(number, {}).get("spec", []) if "default" in q]
        defaults = {q["variable"]: q["default"] for q in questions}
        taken = {q["variable"]: q["default"] for q in questions if not wrong_answer(q, defaults)}
        return {"extra_vars": {**stated, **taken, **said}}

    def synced_now(self, number: int) -> dict[str, Any]:
        self.synced.add(self.held["project_updates"][number]["project"])
        done = {"status": "successful", "failed": False, "finished": "now", "event_processing_finished": True}
        return {**self.held["project_updates"][number], **done, "scm_revision": REVISION}

    def approval(self, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        self._check("workflow_approval_templates", fields, None)
        made = self._put("workflow_approval_templates", fields)
        self.held["workflow_job_template_nodes"][number]["unified_job_template"] = made["id"]
        return made

    def associated(self, collection: str, number: int, by: str, body: Mapping[str, Any]) -> None:
        if body["id"] not in self.held[ASSOCIATED[by]]:
            raise Refused(400, error=f"no {by} {body['id']}")
        ids = self.links.setdefault((collection, number, by), [])
        if body.get("disassociate"):
            ids.remove(body["id"])
            return
        if by == "credentials":
            kinds = [self.held[by][each]["credential_type"] for each in (*ids, body["id"])]
            if len(set(kinds)) < len(kinds):
                raise Refused(400, error="Cannot assign multiple credentials of one type.")
        ids.append(body["id"])


def answer(awx: Controller, method: str, path: str, wanted: Mapping[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """The status and what is said, as the API does. Raises Refused, and KeyError for what there is not."""
    collection, *rest = path.removeprefix(PREFIX).strip("/").split("/")
    if not rest:
        return (200, awx.listed(collection, wanted)) if method == "GET" else (201, awx.made(collection, body))
    number, what = int(rest[0]), "".join(rest[1:])
    if collection == "roles":
        return awx.teams_of(number, body if method == "POST" else {})
    if collection == "project_updates":
        return 200, awx.synced_now(number)
    one = awx.held[collection][number]
    if what == "survey_spec":
        if method == "POST":
            check_survey(body)
            awx.surveys[number] = body
        return 200, awx.surveys.get(number, {})
    if what == "update":
        return 202, awx._put("project_updates", {"project": number})
    if what == "launch":
        return 201, awx.launched(collection, number, body.get("extra_vars") or {})
    if what == "create_approval_template":
        return 201, awx.approval(number, body)
    if what in ASSOCIATED:
        if method == "POST":
            awx.associated(collection, number, what, body)
            return 204, None
        found = [awx.held[ASSOCIATED[what]][each] for each in awx.links.get((collection, number, what), [])]
        return 200, {"count": len(found), "next": None, "results": found}
    if what:
        raise KeyError(what)
    if method == "DELETE":
        del awx.held[collection][number]
        return 204, None
    return 200, awx.changed(collection, number, body) if method == "PATCH" else awx.shown(collection, one)


class Server:
    """The API over HTTP on loopback, for as long as it is entered."""

    def __init__(self) -> None:
        self.awx, lock = Controller(), threading.Lock()
        awx = self.awx

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                address = urlsplit(self.path)
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
                try:
                    if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                        raise Refused(401, detail="Authentication credentials were not provided.")
                    with lock:
                        status, said = answer(awx, self.command, address.path, dict(parse_qsl(address.query)), body)
                except Refused as refused:
                    status, said = refused.status, refused.why
                except KeyError as missing:
                    status, said = 404, {"detail": f"Not found: {missing}"}
                if self.command != "GET" and status < 400:
                    awx.writes.append(f"{self.command} {address.path}")
                text = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("X-API-Product-Name", "AWX")
                self.send_header("X-API-Product-Version", "24.6.1")
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Server:
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"
