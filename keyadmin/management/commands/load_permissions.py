from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.services.catalogue import load_file, load_pack
from keyadmin.kernel.actor import Actor
from keyadmin.management.base import KeyadminCommand


class Command(KeyadminCommand):
    help = (
        "Bring the permission catalogue up to date with a pack that comes with keyadmin, or with a file of one's own."
    )
    example = "load_permissions limacharlie"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            metavar="FILE|PACK",
            help="builtin, civicrm, crm, limacharlie; or a TOML file (its name holds a dot or a slash)",
        )

    def act(self, actor: Actor, **options: Any) -> Any:
        source = options["source"]
        if "." in source or "/" in source:
            return {"source": source, "changed": load_file(actor=actor, path=Path(source))}
        return {"source": source, "changed": load_pack(actor=actor, name=source)}
