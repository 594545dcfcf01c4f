"""Access records: what became of requests. No activity: a flood of them must not grow a chain.

A process appends each record to a spool (`spool`), the worker drains the spools into the database (`services.drain`)
and counts them at once (`services.counts`); pages and REST read through `queries`.
"""
