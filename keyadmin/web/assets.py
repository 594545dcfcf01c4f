"""Style sheets, scripts and pictures: named by content, so that browsers keep them, and compressed once."""

import fcntl
import os

from django.conf import settings
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

# What no page loads: Bootstrap's other builds, other versions of htmx.
UNUSED = ["bootstrap-*", "*.rtl.*", "*.esm.*", "bootstrap.css*", "bootstrap.js*", "bootstrap.bundle.*"]
UNUSED += ["htm[ax]*-4.*", "htmx-2.js", "ext"]


class Assets(CompressedManifestStaticFilesStorage):
    """Plain names while nothing has been collected: in tests, and for commands that render a page."""

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name


def collect() -> None:
    """Gather the files of all parts into STATIC_ROOT, under names that change with their content.

    One process at a time; files of an earlier version stay, for pages that are open in a browser.
    """
    settings.STATIC_ROOT.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.STATIC_ROOT.chmod(0o700)  # like all in the data directory: for the owner alone
    folder = os.open(settings.STATIC_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    finally:
        os.close(folder)
