"""The site key beside a key: which ones count, and whether the one that came is one of them.

It is looked at only once the secret of the API key has matched and nothing before it refuses: whoever has no key can
neither guess site keys nor have slow hashes computed. A right one is compared once in a process, and proved again at
every request by its mark, whether it was replaced (another epoch) or its overlap has ended (the clock). A wrong one is
remembered as long as the epoch lasts, as what makes one right bumps that; and it counts as a wrong key of its address.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

from keyadmin.kernel import clock
from keyadmin.kernel.given import LONGEST
from keyadmin.sitekey import queries
from keyadmin.sitekey.queries import Accepted
from keyadmin.verify import guesses, memory, secret

NONE: Final[tuple[Accepted, ...]] = ()


def demanded(epoch: str | None) -> tuple[Accepted, ...] | None:
    """The site keys of which one must come with a request, read once in an epoch; None: none is demanded.

    Without an epoch, from the database.
    """
    if epoch is None:
        return queries.demanded()
    return memory.of_epoch(epoch, "site keys", queries.demanded)


def is_proved(accepted: Sequence[Accepted], presented: str, now: float) -> bool:
    """Whether what came was compared before and found to be one of them, and that one counts now."""
    sign = memory.mark(presented)
    return any(now < one.until and memory.is_proved(sign, one.verifier) for one in accepted)


def comes_with(accepted: Sequence[Accepted], presented: str, address: str, epoch: str | None) -> bool:
    """Whether what came is one of them. Raises UnavailableError if there is no turn for it in time."""
    now = clock.timestamp()
    if not presented or len(presented) > LONGEST:
        return False
    if is_proved(accepted, presented, now):
        return True
    sign = memory.mark(presented)
    if epoch is not None and memory.wrong_site_keys.get(sign) == epoch:
        return False
    with guesses.in_line() if guesses.are_many(address) else nullcontext():
        fitting = any(now < one.until and secret.is_site_key(presented, one) for one in accepted)
    if not fitting:
        guesses.count(address)
        if epoch is not None:
            memory.make_room(memory.wrong_site_keys)
            memory.wrong_site_keys[sign] = epoch
    return fitting
