"""Serverless caches and their snapshots.

`caches` and `snapshots` hold the operations; `rules` what AWS refuses; `describe` what it shows; `fleet` the real
engines: one shard with a replica behind one name with two ports.
"""
