"""Unit tests run beside everything else on a shared machine: a property has no deadline by the clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
