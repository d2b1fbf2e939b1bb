"""Write docs/iam/ from the permissions of the stages: a policy each, and the page with every action and its reason.

`--check` only says what is stale.
"""

import pathlib
import sys

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam import policy
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE, STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import Permission
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT, TARGETS

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/iam"
MARK = "<!-- stages -->\n"
# As in inventories/prod; the account and the key are nobody's.
EXAMPLE = policy.Names(
    name="kempian-prod",
    region="us-east-1",
    account="111122223333",
    target="kempian-cache-prod",
    secrets=("kempian/prod/cache-token",),
    parameters=("/kempian/prod/REDIS_URL",),
    bucket="kempian-prod-backups",
    instance="i-0123456789abcdef0",
    keys=("11111111-2222-3333-4444-555555555555",),
)


def resources(one: Permission) -> str:
    """As short as a table can have them: the migration's own names in braces, and what must be so of each."""
    found = ", ".join(f"`{each}`" for each in one.on.resources)
    where = " and ".join(f"`{key}` is `{value}`" for _operator, key, value in one.on.where)
    return f"{found}, where {where}" if where else found


def reason(one: Permission) -> str:
    unseen = f" Not proven here: {one.unseen}." if one.unseen else ""
    without = f" Without it {one.without}." if one.without else ""
    return f"{one.why}.{unseen}{without}"


def table(permissions: tuple[Permission, ...]) -> str:
    rows = sorted((one.action, resources(one), reason(one)) for one in permissions)
    return "\n".join(["| action | on | why |", "|---|---|---|", *(f"| `{a}` | {b} | {c} |" for a, b, c in rows)])


def of_target(row: Target) -> str:
    """What is its own: all else is as above."""
    actions, folder = row.actions, FOLDER / row.service
    files = [stage for stage, needs in BY_SERVICE[row.service].items() if needs != STAGES[stage]]
    links = ", ".join(f"[{stage}.json]({folder.name}/{stage}.json)" for stage in files)
    own = {
        "to look at one": actions.look,
        "to plan": actions.plan,
        "to make and change it": actions.make,
        "to give it another token": actions.token,
        "to take it away": actions.delete,
    }
    tables = "\n".join(f"### {title}\n\n{table(needs)}\n" for title, needs in own.items() if needs)
    return f"## {row.title}\n\nIn place of what the stages above need of the target: {links}\n\n{tables}"


def page(text: str) -> str:
    """Everything after the mark is made."""
    parts = [f"## {stage}\n\n[{stage}.json]({stage}.json)\n\n{table(needs)}\n" for stage, needs in STAGES.items()]
    parts += [of_target(row) for row in TARGETS.values() if row is not DEFAULT]
    return text.partition(MARK)[0] + MARK + "\n" + "\n".join(parts)


def made() -> dict[pathlib.Path, str]:
    files = {FOLDER / f"{stage}.json": policy.text(policy.document(needs, EXAMPLE)) for stage, needs in STAGES.items()}
    for service, stages in BY_SERVICE.items():
        for stage, needs in stages.items():
            if needs != STAGES[stage]:
                files[FOLDER / service / f"{stage}.json"] = policy.text(policy.document(needs, EXAMPLE))
    readme = FOLDER / "README.md"
    return {**files, readme: page(readme.read_text())}


def main() -> int:
    wanted, is_check = made(), "--check" in sys.argv
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    stale += [path for path in FOLDER.glob("**/*.json") if path not in wanted]
    for path in stale:
        if is_check:
            print(f"stale: run make docs: {path.relative_to(ROOT)}")
        elif path in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path])
            print(f"written: {path.relative_to(ROOT)}")
        else:
            path.unlink()
            print(f"removed: {path.relative_to(ROOT)}")
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main())
