"""Access records: what became of requests. No activity: a flood of them must not grow a chain."""
