"""Running it: supervisor, worker, health, the public docs pages."""
