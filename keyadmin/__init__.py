"""Keyadmin: the project and the key domain. A map of the rooms, left never imports right:

kernel      pure Python: key format, hashing, master key, actor, patterns, errors, clock, addresses
freshness   the epoch: how whoever caches learns that rights or keys changed
activity    the append-only log and `work.unit`, the one way to change anything
usage       access records, one for each request that was refused, in a database of their own on SQLite
instance    what belongs to the installation as a whole; idempotency records
accounts    (beside this package) organisations, users, groups, policies, permissions, who may do what
sitekey     the second key, of the whole installation, that can be demanded beside each API key
keys        API keys: models, services, queries, and their faces
verify      may this request pass? ordered checks, closed outcomes, the middleware
system      running it: supervisor, worker, health, docs pages
compat      faces for clients of other systems; web: the kit of the pages
"""
