"""REST of verification. Shapes only: every rule is in the services."""

from keyadmin.verify.api import checks, whoami

ROUTERS = {"whoami": whoami.router, "verify": checks.verifying, "simulate": checks.simulating}
