"""What the tests of transfers share with those of probes: clusters."""

from tests.component.probe.conftest import start_cluster

__all__ = ["start_cluster"]
