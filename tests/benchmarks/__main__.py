"""Measure everything and print one table: `make bench` (figures P1 to P8, P12 and P13; a quarter of an hour)."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.load import Rate, Server, granian, in_turns, measured, resident, started, uvicorn
from tests.running.installation import free_port
from tests.servers import postgres_server

HERE = Path(__file__).parent
QUESTION = "/verify?organization=bench&permission=view_customer"
FEW, MANY, USED = 1_000, 1_000_000, 10_000


class Table:
    """The lines as they come."""

    def __init__(self, few: int, many: int) -> None:
        print(f"{os.cpu_count()} cores; {few:,} and {many:,} stored keys; medians of {load.ROUNDS} rounds in turns\n")
        print(f"{'':4} {'what':58} {'figure':>9} {'aim':>8}  measured", flush=True)

    def line(self, number: str, what: str, figure: float, aim: str, measured: str) -> None:
        print(f"{number:4} {what:58} {figure:9.2f} {aim:>8}  {measured}", flush=True)


def environment(directory: Path, database: str | None = None) -> dict[str, str]:
    return {"KEYADMIN_DATA_DIR": str(directory), **({"DATABASE_URL": database} if database else {})}


def stocked(directory: Path, number: int, used: int, database: str | None = None) -> list[str]:
    """A database with so many keys; the secrets of those in use."""
    secrets = directory / "secrets"
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.stock", str(number), str(used), str(secrets)]
    subprocess.run(command, cwd=load.ROOT, env={**os.environ, **environment(directory, database)}, check=True)
    return secrets.read_text().split()


@contextlib.contextmanager
def keyadmin(
    directory: Path, secrets: list[str], *, database: str | None = None, workers: int = 1, **more: str
) -> Iterator[Server]:
    """Web processes of keyadmin, asked about one key."""
    port = free_port()
    with load.web_processes(workers, port, {**environment(directory, database), **more}) as pids:
        yield Server("keyadmin", f"http://127.0.0.1:{port}{QUESTION}", {"X-API-KEY": secrets[0]}, pids=lambda: pids)


@contextlib.contextmanager
def empty(interface: str) -> Iterator[Server]:
    """Nothing at all: as a WSGI callable on granian, the fastest server for one, or as an ASGI callable on uvicorn."""
    port = free_port()
    server = granian if interface == "wsgi" else uvicorn
    with started(server(f"tests.benchmarks.empty:{interface}", port), port, {}):
        yield Server(f"empty {interface}", f"http://127.0.0.1:{port}/verify", {"X-API-KEY": "x" * 58})


@contextlib.contextmanager
def peers(directory: Path, number: int) -> Iterator[tuple[dict[str, Server], dict[str, list[str]]]]:
    """The others, each at its own path of one server, in an environment of their own."""
    python = peers_python()
    settings = {"PEERS_DATABASE": str(directory / "peers.sqlite3"), "PYTHONPATH": str(HERE / "peers")}
    out = subprocess.run(
        [python, str(HERE / "peers" / "stock.py"), str(number)],
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    secrets: dict[str, list[str]] = json.loads(out)
    port = free_port()
    schemes = {"api-key": "Api-Key", "knox": "Token", "token": "Token"}
    with started(granian("urls:application", port, python=python), port, settings):
        yield (
            {
                name: Server(name, f"http://127.0.0.1:{port}/{name}", {"Authorization": f"{scheme} {secrets[name][0]}"})
                for name, scheme in schemes.items()
            },
            secrets,
        )


def peers_python() -> str:
    """The peers' own environment, made once."""
    directory = load.ROOT / "var" / "peers"
    python = directory / "bin" / "python"
    mark = directory / "installed"
    wanted = (HERE / "peers" / "requirements.txt").read_text()
    if not mark.exists() or mark.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "peers" / "requirements.txt")]
        subprocess.run(install, check=True)
        mark.write_text(wanted)
    return str(python)


def rates(*found: Rate) -> str:
    wrong = sum(one.failed for one in found)
    text = " : ".join(f"{one.rate:,.0f}/s" for one in found)
    return f"{text}{f', {wrong} REFUSED' if wrong else ''}"


def milliseconds(*found: Rate) -> str:
    return " : ".join(f"{one.p99:.2f} ms" for one in found)


def many_keys(server: Server, secrets: list[str], directory: Path, **options: str) -> Server:
    """The same server, each request with another key."""
    file = directory / "keys"
    file.write_text("\n".join(secrets) + "\n")
    os.environ.update({"KEYS_FILE": str(file), **options})
    return Server(server.name, server.address, {}, script=str(HERE / "random.lua"))


def against_nothing(table: Table, directory: Path, secrets: list[str]) -> None:
    with empty("wsgi") as nothing, empty("asgi") as little, keyadmin(directory, secrets) as ours:
        zero, asgi, our = in_turns(nothing, little, ours)
    table.line("P1", "/verify : empty WSGI callable (granian)", our.rate / zero.rate, ">= 0.50", rates(our, zero))
    table.line("", "/verify : empty ASGI callable (uvicorn, as it is)", our.rate / asgi.rate, "", rates(our, asgi))
    table.line("P3", "/verify : empty WSGI callable, p99", our.p99 / zero.p99, "<= 3", milliseconds(our, zero))


def against_peers(table: Table, directory: Path, secrets: list[str]) -> None:
    cold = 3_000
    with peers(directory, cold) as (others, their_secrets), keyadmin(directory, secrets) as ours:
        our, *their = in_turns(ours, *others.values())
        for (name, aim), rate in zip((("api-key", 15), ("knox", 20), ("token", 15)), their, strict=True):
            table.line("P2", f"/verify : {NAMES[name]}", our.rate / rate.rate, f">= {aim}", rates(our, rate))
    (directory / "cold").mkdir()
    with peers(directory / "cold", cold) as (others, their_secrets):
        header = {"KEYS_ONCE": "1", "KEYS_HEADER": "Authorization", "KEYS_BEFORE": "Api-Key "}
        script = many_keys(others["api-key"], their_secrets["api-key"], directory, **header)
        theirs = measured(script, seconds=2)
    found = []
    cold_secrets = stocked(directory / "first", cold, cold)
    for _ in range(3):
        with keyadmin(directory / "first", cold_secrets) as ours:
            script = many_keys(ours, cold_secrets, directory, KEYS_ONCE="1", KEYS_HEADER="X-API-KEY", KEYS_BEFORE="")
            found.append(measured(script, seconds=1))
    assert max(one.rate for one in found) < cold, "some of them were no first uses"
    our = sorted(found)[1]
    table.line("P5", f"first use of each key : {NAMES['api-key']}", our.rate / theirs.rate, ">= 2", rates(our, theirs))


NAMES = {"api-key": "djangorestframework-api-key", "knox": "django-rest-knox", "token": "DRF tokens"}


def against_numbers(table: Table, few: Path, few_secrets: list[str], many: Path, many_secrets: list[str]) -> None:
    found: dict[str, list[Rate]] = {"few": [], "many": []}
    memory = {}
    options = {"KEYS_HEADER": "X-API-KEY", "KEYS_BEFORE": ""}
    with keyadmin(few, few_secrets) as small, keyadmin(many, many_secrets) as big:
        both = ("few", small, few_secrets, few), ("many", big, many_secrets, many)
        for _, server, secrets, place in both:  # P5 is about first uses
            measured(many_keys(server, secrets, place, KEYS_ONCE="1", **options), seconds=1 + len(secrets) // 400)
        for _ in range(load.ROUNDS):
            for name, server, secrets, place in both:
                found[name].append(measured(many_keys(server, secrets, place, KEYS_ONCE="0", **options)))
        memory = {"few": resident(small.pids()[0]), "many": resident(big.pids()[0])}
    few_rate, many_rate = (sorted(one)[len(one) // 2] for one in found.values())
    ratio = many_rate.rate / few_rate.rate
    what = f"/verify at {MANY:,} stored keys, {USED:,} in use : {FEW:,}"
    table.line("P4", what, ratio, ">= 0.90", rates(many_rate, few_rate))
    sizes = f"{memory['many'] / 1024:.0f} MiB : {memory['few'] / 1024:.0f} MiB"
    table.line("P13", "resident memory there", memory["many"] / memory["few"], "<= 1.3", sizes)


def against_middleware(table: Table, directory: Path, secrets: list[str]) -> None:
    with contextlib.ExitStack() as stack:
        servers = []
        for behind in ("0", "1"):
            port = free_port()
            command = granian("tests.benchmarks.view:application", port)
            stack.enter_context(started(command, port, {**environment(directory), "BENCH_BEHIND": behind}))
            servers.append(Server("view", f"http://127.0.0.1:{port}/", {"X-API-KEY": secrets[0]}))
        plain, guarded = in_turns(*servers)
    ratio = guarded.rate / plain.rate
    table.line("P6", "a Django view behind the middleware : without", ratio, ">= 0.80", rates(guarded, plain))


def against_postgres(table: Table, directory: Path, secrets: list[str]) -> None:
    with postgres_server() as url:
        place = directory.parent / "postgres"
        theirs = stocked(place, FEW, 10, url)
        with keyadmin(directory, secrets) as sqlite, keyadmin(place, theirs, database=url) as postgres:
            one, other = in_turns(sqlite, postgres)
    table.line("P7", "/verify on PostgreSQL : on SQLite", other.rate / one.rate, ">= 0.90", rates(other, one))


def against_one_process(table: Table, directory: Path, secrets: list[str]) -> None:
    with keyadmin(directory, secrets) as one, keyadmin(directory, secrets, workers=2) as two:
        single, double = in_turns(one, two)
    table.line("P8", "/verify with 2 processes : with 1", double.rate / single.rate, ">= 1.5", rates(double, single))


def against_drain(table: Table, directory: Path, secrets: list[str]) -> None:
    with keyadmin(directory, secrets) as ours:
        arriving = measured(ours, seconds=5)
    command = [sys.executable, "-m", "tests.benchmarks.drained"]
    settings: Mapping[str, str] = {**os.environ, **environment(directory)}
    out = subprocess.run(command, cwd=load.ROOT, env=settings, check=True, capture_output=True, text=True).stdout
    number, seconds = map(float, out.split())
    rate = number / seconds
    text = f"{rate:,.0f}/s : {arriving.rate:,.0f}/s ({number:,.0f} records)"
    table.line("P12", "records drained a second : arriving", rate / arriving.rate, ">= 1.0", text)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="keyadmin-bench-") as name:
        root = Path(name)
        table = Table(FEW, MANY)
        few, many = root / "few", root / "many"
        few_secrets = stocked(few, FEW, FEW)
        against_nothing(table, few, few_secrets)
        against_peers(table, few, few_secrets)
        against_middleware(table, few, few_secrets)
        against_postgres(table, few, few_secrets)
        against_one_process(table, few, few_secrets)
        against_drain(table, few, few_secrets)
        many_secrets = stocked(many, MANY, USED)
        against_numbers(table, few, few_secrets, many, many_secrets)


if __name__ == "__main__":
    main()
