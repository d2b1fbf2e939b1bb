"""Write docs/apps.md, the table of the shapes in which public apps have their Redis, from docs/apps.yml.

`--check` only says whether it is stale.
"""

import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# Public apps, and the keys that move each

The names of the keys are as files that the projects publish had them; a version of yours may differ, and other files
of an app may name Redis too. Each row is tested: a file of that shape is planned, moved, read by the library that
reads it, and brought back byte for byte. `keys` are those of an entry of `migration_values`; a key that is left out is
named by the plan.

| app | `keys` | TLS |
|---|---|---|
"""


def flow(keys: dict) -> str:
    """In one line each, as people write them."""

    def word(value: object) -> str:
        text = yaml.safe_dump(value, default_flow_style=True, width=10_000).strip()
        return text.removesuffix("...").strip().replace("|", "\\|")

    return "<br>".join(f"`{name}: {word(form)}`" for name, form in keys.items())


def table(apps: list[dict]) -> str:
    rows = [
        f"| [{app['app']}](https://github.com/{app['repo']}) | {flow(app['keys'])} "
        f"| {'no way: ' + app['no_tls'] if 'no_tls' in app else 'yes'} |"
        for app in apps
    ]
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    path = ROOT / "docs/apps.md"
    wanted = table(yaml.safe_load((ROOT / "docs/apps.yml").read_text()))
    if path.exists() and path.read_text() == wanted:
        return 0
    if "--check" in sys.argv:
        print("docs/apps.md is stale: run make docs")
        return 1
    path.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
