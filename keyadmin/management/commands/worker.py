from typing import Any

from django.conf import settings

from keyadmin.instance.services import check_master_key
from keyadmin.management.base import PlainCommand
from keyadmin.system import worker


class Command(PlainCommand):
    help = "Do the periodic work until stopped; `manage.py up` starts this by itself."
    example = "worker"

    def work(self, **options: Any) -> None:
        check_master_key(settings.ENV.master.fingerprint)
        worker.run()
