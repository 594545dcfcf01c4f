"""The page of the site key: what stands, making and entering one, and what else can be done to it."""

from keyadmin.sitekey.views.acts import demand, end_overlap, revoke_site_key, stop_demanding
from keyadmin.sitekey.views.page import site_key
from keyadmin.sitekey.views.replace import replace_site_key, site_key_saved

__all__ = [
    "demand",
    "end_overlap",
    "replace_site_key",
    "revoke_site_key",
    "site_key",
    "site_key_saved",
    "stop_demanding",
]
