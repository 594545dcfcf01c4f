"""How people's passwords are hashed."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 4
_turns = threading.BoundedSemaphore(AT_ONCE)


class Argon2(Argon2PasswordHasher):
    """argon2id with 19 MiB, two passes (OWASP Password Storage Cheat Sheet), a few at a time.

    Sign-in is open to everybody, so what it costs in memory must have a bound.
    """

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turns:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turns:
            return super().verify(password, encoded)
