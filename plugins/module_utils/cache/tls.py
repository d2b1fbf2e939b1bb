# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is demanded of a cache's certificate: all that can be verified, or what the app's redis-py demands by its URL.

The options and what follows from them: redis-py's SSLConnection,
https://redis.readthedocs.io/en/stable/connections.html#redis.connection.SSLConnection
"""

from __future__ import annotations

import ssl
from typing import Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import UrlParts

_CERT_REQS = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_FALSE = ("0", "F", "FALSE", "N", "NO")  # redis-py's own words


def strict(parts: UrlParts, ca_certs: str = "") -> ssl.SSLContext:
    """Certificate and name are verified, whatever the URL's options allow the app.

    Raises OSError and ValueError where what the options name is not there, or is no certificate.
    """
    options = dict(parts.query)
    context = ssl.create_default_context(cafile=ca_certs or options.get("ssl_ca_certs") or None)
    _load_own_certificate(context, options)
    return context


def as_app(parts: UrlParts, ca_certs: str, checks_names: bool) -> ssl.SSLContext:
    """As redis-py does it by the URL. ``checks_names``: it compares names where the URL is silent. Raises as above."""
    options = dict(parts.query)
    stated = options.get("ssl_cert_reqs") or "required"
    if stated not in _CERT_REQS:
        raise ValueError(f"ssl_cert_reqs is {stated}, and redis-py knows {', '.join(_CERT_REQS)}")
    if options.get("ssl_check_hostname"):
        checks_names = options["ssl_check_hostname"].upper() not in _FALSE
    context = ssl.create_default_context()
    context.check_hostname = checks_names and stated != "none"
    context.verify_mode = _CERT_REQS[stated]
    _load_own_certificate(context, options)
    file, folder, data = options.get("ssl_ca_certs") or ca_certs, options.get("ssl_ca_path"), options.get("ssl_ca_data")
    if file or folder or data:
        context.load_verify_locations(file or None, folder, data)
    if options.get("ssl_ciphers"):
        context.set_ciphers(options["ssl_ciphers"])
    return context


def _load_own_certificate(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    if options.get("ssl_certfile"):
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"), options.get("ssl_password"))


def verified(context: ssl.SSLContext) -> str:
    """What of the certificate was verified, as a phrase."""
    if context.verify_mode == ssl.CERT_NONE:
        return "its certificate is not verified, as the URL says"
    return "certificate and name verified" if context.check_hostname else "certificate verified, and not its name"


def trusted(parts: UrlParts, ca_certs: str) -> str:
    """Where CAs were looked for."""
    paths = ssl.get_default_verify_paths()
    stated = ca_certs or dict(parts.query).get("ssl_ca_certs")
    return stated or " and ".join(filter(None, (paths.cafile, paths.capath))) or "nowhere"
