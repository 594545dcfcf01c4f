"""Fill the database that the environment names with keys: `python -m tests.benchmarks.stock KEYS USED FILE`.

The secrets of those that are used are written to FILE, one a line; nobody knows those of the others.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.conf import settings

from accounts.services.organizations import create_organization
from keyadmin.activity import work
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import operator
from keyadmin.keys.models import APIKey, KeyKind
from keyadmin.system.services import prepare

BATCH = 5_000


def main(number: int, used: int, file: Path) -> None:
    prepare()
    actor = operator()
    organization = create_organization(actor=actor, name="Bench")
    nobody = settings.KEY_HASHER.hash("nobody")
    now = clock.now()
    secrets: list[str] = []
    for start in range(0, number, BATCH):
        rows = []
        for place in range(start, min(number, start + BATCH)):
            token = tokens.mint("ka", "live")
            if place < used:
                secrets.append(token.text)
            rows.append(
                APIKey(
                    kind=KeyKind.ORGANIZATION,
                    organization=organization,
                    name=f"Key {place}",
                    permissions=["view_customer", "view_invoice"],
                    environment="live",
                    prefix="ka",
                    token_id=token.token_id,
                    tail=token.tail,
                    verifier=settings.KEY_HASHER.hash(token.text) if place < used else nobody,
                    created_at=now - timedelta(seconds=place),
                    created_by_label="bench",
                    expires_at=now + timedelta(days=400),
                )
            )
        APIKey.objects.bulk_create(rows)
    with work.unit(actor) as unit:
        unit.changes_rights()
    file.write_text("\n".join(secrets) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
