"""DATABASE_URL: all forms that libpq takes and that make sense here, and a clear line for the others."""

import os

import psycopg
import pytest

from keyadmin import database_url


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://h/db", ("db", "", "", "h", "", {})),
        ("postgres://u:p@h:5433/db", ("db", "u", "p", "h", "5433", {})),
        ("postgresql://u@h/db", ("db", "u", "", "h", "", {})),
        ("postgresql:///db", ("db", "", "", "", "", {})),
        ("postgresql://u:p%40s%2Fs%3A%23%3F%25@h/d%20b", ("d b", "u", "p@s/s:#?%", "h", "", {})),
        ("postgresql://u:a:b@h/db", ("db", "u", "a:b", "h", "", {})),
        ("postgresql://u:pl+us@h/db", ("db", "u", "pl+us", "h", "", {})),
        ("postgresql://[::1]:5433/db", ("db", "", "", "::1", "5433", {})),
        ("postgresql://%2Ftmp%2FPG-aBc/db", ("db", "", "", "/tmp/PG-aBc", "", {})),
        ("postgresql://u@/db?host=%2Ftmp%2FPG-aBc", ("db", "u", "", "/tmp/PG-aBc", "", {})),
        ("postgresql:///db?user=u&password=p%26q&port=5433", ("db", "u", "p&q", "", "5433", {})),
        (
            "postgresql://h/db?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=2",
            ("db", "", "", "h", "", {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem", "connect_timeout": "2"}),
        ),
    ],
)
def test_parts(url: str, parts: tuple[object, ...]) -> None:
    found = database_url.parse(url)
    assert (found.name, found.user, found.password, found.host, found.port, dict(found.options)) == parts


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:///db.sqlite3", "must be of the form"),
        ("postgresql://h", "must be of the form"),
        ("postgresql://h/", "must be of the form"),
        ("postgresql://h/db/more", "must be of the form"),
        ("postgresql://u:p@ss/w@h/db", "must be of the form"),
        ("postgresql://h/db#x", "must be of the form"),
        ("host=h dbname=db", "must be of the form"),
        ("postgresql://h:port/db", "port is not a number"),
        ("postgresql://h:0/db", "port is not a number"),
        ("postgresql://h:65536/db", "port is not a number"),
        ("postgresql://h1:1,h2:2/db", "port is not a number"),
        ("postgresql://h/db?sslmode", "not of the form name=value"),
        ("postgresql://h/db?sslmode=yes", "sslmode is not one of"),
        ("postgresql://h/db?connect_timeout=soon", "connect_timeout"),
        ("postgresql://h/db?sslmod=require", "sslmod is not known. Did you mean sslmode?"),
        ("postgresql://h/db?pool=true", "pool is not known"),
        ("postgresql://h/db?host=g", "host is given twice"),
        ("postgresql://u:p@h/db?password=q", "password is given twice"),
    ],
)
def test_nonsense(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("?", r"\?")):
        database_url.parse(url)


def test_every_option_is_one_of_the_driver() -> None:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    newer = {"sslnegotiation"}  # libpq 17
    assert database_url.OPTIONS - newer <= known


def test_address_of_these_tests_leads_to_the_server(database_kind: str) -> None:
    if database_kind == "postgres":
        found = database_url.parse(os.environ["DATABASE_URL"])
        with psycopg.connect(dbname=found.name, user=found.user, host=found.host) as connection:
            assert connection.info.dbname == "keyadmin"
