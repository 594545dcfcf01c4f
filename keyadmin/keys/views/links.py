"""Where other rooms, which know no keys, may link to."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError
from keyadmin.keys import queries


def key_pages(actor: Actor, slug: str, ids: Collection[int]) -> Mapping[int, str]:
    """The pages, in one organisation, of those of the keys that exist and that the actor may see."""
    try:
        seen = queries.visible_keys(actor).filter(pk__in=ids).values_list("pk", flat=True)
    except DeniedError:
        return {}
    return {pk: reverse("key", args=[slug, pk]) for pk in seen}
