"""Every change that can be made to a key. Pages, REST, commands and drop-in endpoints all call these."""

from keyadmin.keys.services.assign import assign_key, revoke_assigned_key, set_assigned_key
from keyadmin.keys.services.block import block_key, unblock_key
from keyadmin.keys.services.common import UNSAID, Unsaid
from keyadmin.keys.services.edit import KeyChanges, edit_key, foresee_edit
from keyadmin.keys.services.issue import confirm_secret, create_key, regenerate_key
from keyadmin.keys.services.life import delete_key, pause_key, resume_key, revoke_key, stamp_expired
from keyadmin.keys.services.secrets import Issued, Minted, mint, mint_like, replace_verifier
from keyadmin.keys.services.use import note_uses

__all__ = [
    "UNSAID",
    "Issued",
    "KeyChanges",
    "Minted",
    "Unsaid",
    "assign_key",
    "block_key",
    "confirm_secret",
    "create_key",
    "delete_key",
    "edit_key",
    "foresee_edit",
    "mint",
    "mint_like",
    "note_uses",
    "pause_key",
    "regenerate_key",
    "replace_verifier",
    "resume_key",
    "revoke_assigned_key",
    "revoke_key",
    "set_assigned_key",
    "stamp_expired",
    "unblock_key",
]
