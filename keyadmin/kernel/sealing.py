"""Encryption of single fields at rest: AES-256-GCM, bound to what the text is (NIST SP 800-38D)."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealError(ValueError):
    """The text was not sealed under this key for this use, or was changed since."""


def seal(key: bytes, text: str, use: str) -> str:
    """The text under a key of 32 bytes, as URL-safe base64. Only `unseal` with the same `use` opens it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), use.encode())).decode()


def unseal(key: bytes, sealed: str, use: str) -> str:
    """What was sealed. Raises SealError."""
    try:
        raw = urlsafe_b64decode(sealed.encode())
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], use.encode()).decode()
    except (ValueError, InvalidTag) as error:
        raise SealError("This can't be opened: another master key, another use, or changed.") from error
