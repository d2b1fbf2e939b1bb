# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of a text may be shown: no secret, however it is written there, and nothing that acts on a terminal. Pure.

What a module returns is made clean here: ansible-core from 2.22 on masks no result by itself, and before that it
masks words wherever they stand, so that a port which equals a password would be hidden too.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, Iterable, Mapping
from urllib.parse import quote, quote_plus

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MASK, mask_url

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_AFTER_A_URL = "'`\")]}>,;.:"
# With what is not seen and turns the direction of what stands beside it: https://www.unicode.org/reports/tr9/
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, however they are written in it, and without the logins and options of URLs."""
    spellings = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return _URL.sub(_masked_url, text)


def _spellings(secret: str) -> set[str]:
    """As it is, and within a URL, a form, HTML, JSON and Python."""
    unicode_escaped = "".join(f"\\u{ord(sign):04x}" if sign in "<>&" else sign for sign in secret)
    quoted = (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret))
    in_urls = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return {secret, html.escape(secret), unicode_escaped, *in_urls, *(each[1:-1] for each in quoted)}


def _masked_url(found: re.Match[str]) -> str:
    """Without a login and without options there is no secret in a URL."""
    url = found[0].rstrip(_AFTER_A_URL)
    return mask_url(url) + found[0][len(url) :] if "@" in url or "?" in url else found[0]


def printable(value: Any) -> Any:
    """A result with nothing in its texts that would act on a terminal, or cannot be seen; line ends and tabs stay."""
    if isinstance(value, str):
        return _CONTROL.sub("?", value)
    if isinstance(value, Mapping):
        return {printable(name): printable(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(part) for part in value]
    return value


def one_line(text: str) -> str:
    """The same on one line, so that no text of a host looks like a line of ours."""
    return str(printable(" ".join(text.splitlines())))


def options_shown(options: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """A module's options as its result may repeat them: nothing of those with ``no_log`` in its ``argument_spec``, nor
    of such suboptions.
    """
    known = {word: option for name, option in spec.items() for word in (name, *option.get("aliases", ()))}
    return {name: _shown(value, known.get(name, {})) for name, value in options.items()}


def _shown(value: Any, option: Mapping[str, Any]) -> Any:
    if option.get("no_log") and value not in (None, ""):
        return MASK
    if "options" in option and isinstance(value, Mapping):
        return options_shown(value, option["options"])
    if "options" in option and isinstance(value, (list, tuple)):
        return [_shown(each, option) for each in value]
    return value


def tell_as_it_is(module: Any) -> None:
    """Have ansible-core leave the words of a result as they are, which holds no secret.

    It masks what equals a value of an option with ``no_log``, be it a port, a flag or a path: up to 2.21 in the result;
    from 2.22 on in all that the run prints of any host, since the module hands those values to the controller.
    """
    module.no_log_values.clear()
    handed_over = getattr(module, "_new_secrets", None)  # from 2.22 on
    if handed_over is not None:
        handed_over.flush()
