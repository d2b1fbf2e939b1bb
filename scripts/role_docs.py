"""Write the variable tables of the role READMEs from their argument_specs; `--check` only says what is stale."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = re.compile(r"(<!-- variables of (\w+) -->\n).*?(?=<!-- end -->)", re.S)


def plain(text: object) -> str:
    """Ansible's markup as Markdown."""
    words = " ".join(text) if isinstance(text, list) else str(text)
    words = re.sub(r"[COV]\(([^)]*)\)", r"`\1`", words)
    return re.sub(r"\s+", " ", words).replace("|", "\\|").strip()


def shown(option: dict) -> str:
    if option.get("required"):
        return "*required*"
    default = option.get("default", "")
    return f"`{default!r}`" if isinstance(default, (str, list, dict)) else f"`{str(default).lower()}`"


def table(options: dict) -> str:
    rows = ["| variable | type | default | what it is |", "|---|---|---|---|"]
    rows += [f"| `{n}` | {o['type']} | {shown(o)} | {plain(o['description'])} |" for n, o in sorted(options.items())]
    return "\n".join(rows) + "\n"


def written(text: str, specs: dict) -> str:
    return TABLE.sub(lambda match: match[1] + table(specs[match[2]]["options"]), text)


def main() -> int:
    stale = []
    for readme in sorted(ROOT.glob("roles/*/README.md")):
        text = readme.read_text()
        fresh = written(text, yaml.safe_load((readme.parent / "meta/argument_specs.yml").read_text())["argument_specs"])
        if fresh != text:
            stale.append(readme)
            if "--check" not in sys.argv:
                readme.write_text(fresh)
    for readme in stale:
        print(f"{'stale: run make docs: ' if '--check' in sys.argv else 'written: '}{readme.relative_to(ROOT)}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
