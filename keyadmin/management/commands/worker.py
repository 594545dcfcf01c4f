from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from keyadmin.instance.services import WrongMasterKeyError, check_master_key
from keyadmin.system import worker


class Command(BaseCommand):
    help = "Do the periodic work until stopped; `manage.py up` starts this by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_master_key(settings.ENV.master.fingerprint)
        except WrongMasterKeyError as error:
            raise CommandError(str(error), returncode=1) from None
        worker.run()
