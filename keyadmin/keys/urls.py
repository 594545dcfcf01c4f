from django.urls import path

from keyadmin.keys.views import assign, change, create, lists, mine, overview, page, preview, reveal, simulate

KEY = "keys/<int:pk>/"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("keys/", lists.key_list, name="keys"),
    path("keys/new/", create.new_key, name="key_new"),
    path("keys/new/preview/", preview.preview_new, name="key_new_preview"),
    path(KEY, page.key_page, name="key"),
    path("api-users/<int:pk>/api-key/", assign.assigned_key, {"kind": "api"}, name="api_user_key"),
    path("settings/members/<int:pk>/api-key/", assign.assigned_key, {"kind": "person"}, name="member_key"),
    path(f"{KEY}simulate/", simulate.simulate_key, name="key_simulate"),
    path(f"{KEY}edit/", change.edit_key, name="key_edit"),
    path(f"{KEY}edit/preview/", preview.preview_edit, name="key_edit_preview"),
    path(f"{KEY}regenerate/", create.regenerate_key, name="key_regenerate"),
    path(f"{KEY}saved/", reveal.key_saved, name="key_saved"),
    path(f"{KEY}pause/", change.pause_key, name="key_pause"),
    path(f"{KEY}resume/", change.resume_key, name="key_resume"),
    path(f"{KEY}block/", change.block_key, name="key_block"),
    path(f"{KEY}unblock/", change.unblock_key, name="key_unblock"),
    path(f"{KEY}revoke/", change.revoke_key, name="key_revoke"),
    path(f"{KEY}delete/", change.delete_key, name="key_delete"),
]

# Under /me/: one's own keys.
mine_urlpatterns = [
    path("", mine.own_keys, name="my_keys"),
    path("new/", mine.new_own_key, name="my_key_new"),
    path("new/preview/", mine.preview_own, name="my_key_new_preview"),
]
