"""Secrets of keys: minted, put on a key, and shown once."""

from dataclasses import dataclass, field

from django.conf import settings

from keyadmin.instance import queries as instance
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import Actor
from keyadmin.keys.given import Entered
from keyadmin.keys.models import APIKey, FormerTokenId


@dataclass(frozen=True, slots=True)
class Issued:
    """A key with its secret, for the one answer in which it is shown; empty if the secret was made elsewhere."""

    key: APIKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh secret and its verifier, made before a transaction begins because the hash may be slow."""

    token: tokens.Token
    verifier: str = field(repr=False)


def mint(environment: tokens.Environment = "live") -> Minted:
    """A new secret from the system's CSPRNG with its verifier."""
    token = tokens.mint(settings.ENV.key_prefix, environment)
    return Minted(token, instance.hasher().hash(token.text))


def mint_like(key: APIKey) -> Minted:
    """A new secret of the same environment as the key's."""
    return mint("test" if key.environment == "test" else "live")


def put(key: APIKey, new: Minted | Entered, *, actor: Actor, confirmed: bool) -> None:
    """Put a secret on a key. `actor` is who sees it."""
    key.verifier = new.verifier
    if isinstance(new, Entered):
        key.prefix, key.token_id, key.bucket, key.tail = "", None, new.bucket, new.tail
        key.environment = key.environment or "live"
    else:
        token = new.token
        key.prefix, key.token_id, key.bucket, key.tail = token.prefix, token.token_id, None, token.tail
        key.environment = token.environment
    key.secret_kept = actor.held.is_everything or (key.owner_id is not None and key.owner_id == actor.user_id)
    key.secret_confirmed_at = clock.now() if confirmed else None


def replace(key: APIKey, new: Minted | Entered, *, actor: Actor, confirmed: bool) -> None:
    """Put a new secret on a key that exists, and keep the token id of the old one."""
    FormerTokenId(key=key, token_id=key.token_id, tail=key.tail, replaced_at=clock.now()).save(force_insert=True)
    put(key, new, actor=actor, confirmed=confirmed)


def replace_verifier(key_id: int, old: str, new: str) -> bool:
    """Store another verifier of the same secret, unless the key has a new secret, or none, by now.

    No activity and no epoch: what the key may do is the same.
    """
    return APIKey.objects.filter(pk=key_id, verifier=old).update(verifier=new) == 1
