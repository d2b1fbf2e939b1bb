"""Write what is made from core/options/: the options in the roles' argument specs, and the tables of the READMEs.

And what Galaxy shows of each role, from the words of its specs. `--check` only says what is stale.
"""

import pathlib
import re
import sys

import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import (
    OPTIONS,
    PARTS,
    of_stages,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS

ROOT = pathlib.Path(__file__).resolve().parent.parent
MIN_ANSIBLE = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"].removeprefix(">=")
TABLE = re.compile(r"(<!-- variables -->\n).*?(?=<!-- end -->)", re.S)


class Dumper(yaml.SafeDumper):
    """Lists are indented beneath their key, as yamllint wants them."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def options_of(role: str) -> dict[str, Option]:
    """What the role reads: the options of the stages of its goal, or of the stage that it is."""
    return of_stages(GOALS[role].stages if role in GOALS else (role,))


def spec_of(option: Option) -> dict:
    """With the words. A dict of options is written out, as Ansible's own documentation has it."""
    stated = {"description": option.what, **option.spec()}
    if option.options:
        stated["options"] = {name: dict(one) for name, one in option.options.items()}
    if option.type == "raw":
        stated["default"] = option.default
    return stated


def specs(role: str, text: str) -> str:
    """The argument specs with their options made anew; the words above them are written by hand."""
    whole = yaml.safe_load(text)
    whole["argument_specs"]["main"]["options"] = {
        option.full_name: spec_of(option) for option in options_of(role).values()
    }
    return "---\n" + yaml.dump(whole, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)


def described(specs: str) -> str:
    """What Galaxy shows of the role: the words that its argument specs begin with."""
    description = yaml.safe_load(specs)["argument_specs"]["main"]["short_description"]
    info = {
        "author": "The cache_migration authors",
        "description": description,
        "license": "GPL-3.0-or-later",
        "min_ansible_version": MIN_ANSIBLE,
    }
    return "---\n" + yaml.dump({"galaxy_info": info, "dependencies": []}, Dumper=Dumper, sort_keys=False, width=110)


def plain(text: str) -> str:
    """Ansible's markup as Markdown."""
    return re.sub(r"[COVM]\(([^)]*(?:\([^)]*\))?[^)]*)\)", r"`\1`", text).replace("|", "\\|")


def shown(option: Option) -> str:
    if option.required:
        return "*required*"
    if option.default is None:
        return ""
    if option.type in ("bool", "int", "float"):
        return f"`{str(option.default).lower()}`"
    return f"`{option.default!r}`" if option.default else ""


def table(wanted: dict[str, Option]) -> str:
    rows = ["| variable | type | default | what it is |", "|---|---|---|---|"]
    for part in PARTS:
        found = [option for option in part.options if option.name in wanted]
        if found and part.heading:
            rows.append(f"| **{part.heading}** | | | |")
        rows += [f"| `{one.full_name}` | {one.type} | {shown(one)} | {plain(one.what)} |" for one in found]
    return "\n".join(rows) + "\n"


def written(text: str, wanted: dict[str, Option]) -> str:
    return TABLE.sub(lambda match: match[1] + table(wanted), text)


def made() -> dict[pathlib.Path, str]:
    """Every file that is made, as it is to be."""
    files = {ROOT / "README.md": written((ROOT / "README.md").read_text(), dict(OPTIONS))}
    for folder in sorted((ROOT / "roles").iterdir()):
        readme, meta = folder / "README.md", folder / "meta/argument_specs.yml"
        files[folder / "meta/main.yml"] = described(meta.read_text())
        if folder.name == "move":
            continue  # the engine itself: it takes a goal, and the goal's role has the options
        files[readme] = written(readme.read_text(), options_of(folder.name))
        files[meta] = specs(folder.name, meta.read_text())
    return files


def main() -> int:
    stale = [(path, text) for path, text in made().items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if "--check" not in sys.argv:
            path.write_text(text)
        print(f"{'stale: run make docs: ' if '--check' in sys.argv else 'written: '}{path.relative_to(ROOT)}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
