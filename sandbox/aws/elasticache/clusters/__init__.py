"""Cache clusters that are in no replication group: Memcached with its nodes, and a node of Redis OSS by itself.

`operations` and `modifications` hold what is answered; `rules` what AWS refuses; `describe` what it shows; `fleet` the
real engines.
"""
