"""Keyadmin on two hosts behind nginx, as docs/scaling.md has it: one PostgreSQL, one Redis, only addresses differ."""

import base64
import contextlib
import datetime
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.gateways.links import Machine, machines
from tests.gateways.programs import NGINX, TEMPORARY, program_of, wait_for
from tests.limits.redis_server import redis_server
from tests.running.installation import ADMINISTRATOR, ROOT, Installation, free_port
from tests.running.revoking import Host, Office
from tests.servers import postgres

DOCS = ROOT / "docs" / "scaling.md"
NAME = "keys.example.org"
FILES = f"/etc/nginx/{NAME}"
OPTIONS = "connect_timeout=2&tcp_user_timeout=3000"


@dataclass(frozen=True)
class Node:
    """One host: its network, its installation, and both sides of a right, asked without the balancer."""

    machine: Machine
    made: Installation
    verify: Host
    office: Office


@dataclass(frozen=True)
class Cluster:
    """Both hosts, and the balancer: `address` and `office` for people and programs, `verify` for gateways."""

    nodes: tuple[Node, Node]
    address: str
    verify: Host
    office: Office


@contextlib.contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """All of it, ended and removed afterwards."""
    with contextlib.ExitStack() as stack:
        places = stack.enter_context(machines(2))
        addresses = [machine.back.near for machine in places]
        stack.enter_context(postgres(addresses=addresses))
        stack.enter_context(redis_server(addresses))
        shared = {
            **ADMINISTRATOR,
            "KEYADMIN_WORKERS": "2",
            "KEYADMIN_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "KEYADMIN_PUBLIC_URL": f"https://{NAME}",
        }
        hosts = []
        for place in places:
            made = _host(directory / place.name, place, shared)
            stack.callback(made.close)
            made.start()
            hosts.append(made)
        public, internal = stack.enter_context(_balancer(directory, hosts))
        key = hosts[0].secret("create_key", "--name", "Office", "--admin")
        offices = [Office(address, key) for address in (*(made.address for made in hosts), public)]
        offices[-1].client.headers["Host"] = NAME
        one, other = (
            Node(place, made, Host(made.address), office)
            for place, made, office in zip(places, hosts, offices, strict=False)
        )
        yield Cluster((one, other), public, Host(internal), offices[-1])


def _host(directory: Path, machine: Machine, shared: dict[str, str]) -> Installation:
    environment = {
        **shared,
        "KEYADMIN_TRUSTED_PROXIES": f"{machine.front.near}/32",
        "REDIS_URL": f"redis://{machine.back.near}:6379/0",
    }
    database = f"postgresql://postgres@{machine.back.near}:5432/keyadmin?{OPTIONS}"
    return Installation(directory, database, environment, host=machine.front.far, within=machine.within)


@contextlib.contextmanager
def _balancer(directory: Path, hosts: list[Installation]) -> Iterator[tuple[str, str]]:
    """nginx in front of the hosts: its address for people and the one for gateways."""
    public, internal = free_port(), free_port()
    here = directory / "nginx"
    here.mkdir()
    _make_certificate(here / "crt", here / "key")
    recipe = _recipe(
        {
            **{f"10.0.0.{11 + place}:8000": f"{made.host}:{made.port}" for place, made in enumerate(hosts)},
            "listen 10.0.0.5:8000;": f"listen 127.0.0.1:{internal};",
            "listen 443 ssl;": f"listen 127.0.0.1:{public} ssl;",
            f"{FILES}.crt;": f"{here / 'crt'};",
            f"{FILES}.key;": f"{here / 'key'};",
        }
    )
    temporary = " ".join(f"{name}_temp_path {here}/{name};" for name in TEMPORARY)
    config, log = here / "config", here / "log"
    # Several processes, as where nginx is installed: only then they have to tell each other who fails.
    config.write_text(
        f"user root; worker_processes 2; {NGINX.format(directory=here, temporary=temporary, recipe=recipe)}"
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program_of("nginx"), "-p", str(here), "-c", str(config)],
            cwd=here,
            env={"PATH": os.environ["PATH"]},
            stdout=out,
            stderr=out,
        )
    try:
        for port in (public, internal):
            wait_for(process, port, log)
        yield f"https://127.0.0.1:{public}", f"http://127.0.0.1:{internal}"
    finally:
        process.terminate()
        process.wait(30)


def _recipe(addresses: dict[str, str]) -> str:
    """The configuration that the docs show, with these addresses and files."""
    (text,) = re.findall(r"^```nginx\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    for shown, own in addresses.items():
        assert text.count(shown) == 1, f"{shown} is not in {DOCS}"
        text = text.replace(shown, own)
    assert OPTIONS in DOCS.read_text()
    return str(text)


def _make_certificate(certificate: Path, key: Path) -> None:
    """One that nobody has to believe."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, pem, plain))
