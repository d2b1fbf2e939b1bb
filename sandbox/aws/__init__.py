"""A local AWS: ElastiCache with real engines behind it, moto for the rest, security groups that drop packets.

    python -m sandbox.aws --state DIR --keys FILE --listen-fd FD --port PORT --creating-seconds S …

`server` takes a call that names one of our `keys`, and gives it to who answers it: `wire` (our services, from
botocore's model) or `moto_side`.
What acts on the machine is apart from what answers: `engines`, `instances`, `doors`, `names`, `pki`.
"""
