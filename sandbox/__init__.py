"""A local AWS with real engines behind it, and real app hosts, for tests, the demo and rehearsals."""
