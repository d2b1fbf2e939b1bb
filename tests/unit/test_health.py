"""Which health URLs are asked, and how they are shown."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.health import HealthUrlError, shown


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [
        ("http://127.0.0.1:8000/healthz", "http://127.0.0.1:8000/healthz"),
        ("https://localhost/healthz?token=hunter2&deep=1#there", "https://localhost/healthz"),
        ("http://[::1]:8000?token=a@b", "http://[::1]:8000"),
    ],
)
def test_a_health_url_is_shown_without_its_query(url, as_shown):
    assert shown(url) == as_shown


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://ops:hunter2@127.0.0.1/healthz", "user name or a password"),
        ("http://hunter2@127.0.0.1/", "user name or a password"),
        ("http://ops:hunter2/x@127.0.0.1/", "user name or a password"),
        ("http://127.0.0.1:hunter2/", "port that is no number"),
        ("http://[hunter2/", "no host"),
        ("http:///healthz?hunter2", "no host"),
        ("http://127.0.0.1/healthz?token=hunter2 hunter2", "space"),
        ("http://127.0.0.1/h\u00e9?hunter2", "ASCII"),
        ("ftp://127.0.0.1/hunter2", "must begin with http"),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused_without_being_quoted(url, named):
    with pytest.raises(HealthUrlError, match=named) as refused:
        shown(url)
    assert "health_url" in str(refused.value) and "hunter2" not in str(refused.value)
