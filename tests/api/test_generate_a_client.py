"""openapi-python-client makes a client from the API's own description, and that client works."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from keyadmin.web.auth import Handler
from tests.api.calls import call
from tests.world import World

PACKAGE = "generated_keyadmin_client"


@pytest.fixture
def generated(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The generated package, imported from a temporary folder."""
    (tmp_path / "openapi.json").write_bytes(call(world.client(), "GET", "/api/v1/openapi.json").content)
    (tmp_path / "config.json").write_text(json.dumps({"post_hooks": []}))  # no formatting: nobody reads it
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--config", "config.json",
         "--meta", "none", "--output-path", PACKAGE, "--fail-on-warning"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module(PACKAGE)


@pytest.mark.usefixtures("kept_connections")
def test_the_generated_client_creates_lists_and_revokes_a_key(world: World, generated: ModuleType) -> None:
    def operation(name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.api.api_keys.{name}").sync

    models = importlib.import_module(f"{PACKAGE}.models")
    client = generated.AuthenticatedClient(
        base_url="http://localhost",
        token=world.key("*").secret,
        prefix="",
        auth_header_name="X-API-KEY",
        httpx_args={"transport": httpx.WSGITransport(Handler())},
        raise_on_unexpected_status=True,
    )
    body = models.KeyIn(name="By a generated client", permissions=["view_customer"])
    made = operation("api_keys_create")(client=client, body=body)
    assert isinstance(made, models.IssuedOut)
    assert call(world.client(key=made.api_key), "GET", "/crm/customers").status_code == 200
    listed = operation("api_keys_list")(client=client, search="generated")
    assert [item.api_key_id for item in listed.items] == [made.api_key_id]
    assert listed.items[0].expiry_date is None
    revoked = operation("api_keys_revoke")(made.api_key_id, client=client)
    assert revoked.status.value == "revoked"
    refused = operation("api_keys_resume")(made.api_key_id, client=client)
    assert isinstance(refused, models.Problem)
    assert refused.code == "key_revoked"
