"""The master key's file: made once, private, one for processes that start together, refused when unsafe."""

import multiprocessing
import os
import stat
from base64 import b64encode
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from keyadmin.kernel.master import Master, MasterKeyError, load, load_or_create

PROCESSES, ROUNDS = 6, 40
TEXT = b64encode(bytes(range(32))).decode()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, content: bytes, permissions: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(permissions)
    return path


def test_the_first_start_makes_the_file_and_later_ones_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    first = load_or_create(path)
    assert load_or_create(path) == first == load(path) == Master.from_base64(path.read_text())
    assert load_or_create(tmp_path / "other.key") != first


def test_file_and_directory_are_private_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    before = os.umask(0)
    try:
        load_or_create(path)
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    load_or_create(tmp_path / "master.key")
    assert os.listdir(tmp_path) == ["master.key"]


def test_the_mode_of_a_directory_that_exists_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    load_or_create(tmp_path / "master.key")
    assert mode(tmp_path) == 0o755


def start_together(directory: Path, barrier: Barrier, fingerprints: "Queue[tuple[int, str]]") -> None:
    for number in range(ROUNDS):
        barrier.wait(timeout=60)
        fingerprints.put((number, load_or_create(directory / str(number) / "master.key").fingerprint))


def test_processes_that_start_together_end_with_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, fingerprints = context.Barrier(PROCESSES), context.Queue()
    arguments = (tmp_path, barrier, fingerprints)
    processes = [context.Process(target=start_together, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    seen = [fingerprints.get(timeout=60) for _ in range(PROCESSES * ROUNDS)]
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    for number in range(ROUNDS):
        on_disk = load(tmp_path / str(number) / "master.key").fingerprint
        assert [fingerprint for round_, fingerprint in seen if round_ == number] == [on_disk] * PROCESSES
        assert os.listdir(tmp_path / str(number)) == ["master.key"]


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o644, 0o620, 0o660, 0o666])
def test_our_own_file_open_to_others_is_refused_with_the_line_to_type(tmp_path: Path, permissions: int) -> None:
    path = write(tmp_path / "master.key", TEXT.encode(), permissions)
    with pytest.raises(MasterKeyError, match=f"chmod 600 {path}"):
        load_or_create(path)
    assert mode(path) == permissions


@pytest.mark.parametrize("permissions", [0o600, 0o400])
def test_our_own_file_for_its_owner_only_is_read(tmp_path: Path, permissions: int) -> None:
    assert load_or_create(write(tmp_path / "master.key", TEXT.encode(), permissions)) == Master(bytes(range(32)))


@pytest.mark.parametrize("permissions", [0o600, 0o400, 0o440, 0o640])
def test_a_mounted_secret_may_be_read_by_its_group(tmp_path: Path, permissions: int) -> None:
    assert load(write(tmp_path / "secret", TEXT.encode(), permissions)) == Master(bytes(range(32)))


@pytest.mark.parametrize("permissions", [0o444, 0o644, 0o602, 0o604])
def test_a_mounted_secret_open_to_everybody_is_refused(tmp_path: Path, permissions: int) -> None:
    path = write(tmp_path / "secret", TEXT.encode(), permissions)
    with pytest.raises(MasterKeyError, match=f"chmod o-rwx {path}, or mount it with mode 0440"):
        load(path)


def test_a_mounted_secret_behind_a_link_is_read(tmp_path: Path) -> None:
    # Kubernetes mounts every secret as a link into a directory that it swaps
    write(tmp_path / "..data", TEXT.encode())
    (tmp_path / "secret").symlink_to("..data")
    assert load(tmp_path / "secret") == Master(bytes(range(32)))


@pytest.mark.parametrize("content", [b"", b"\n", TEXT[:-8].encode(), b"\xff" * 44, TEXT.encode() * 2, b"\0" * 32])
def test_an_empty_or_garbled_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "master.key", content)
    for read in (load, load_or_create):
        with pytest.raises(MasterKeyError, match=f"{path} does not hold a master key") as refusal:
            read(path)
        assert TEXT[:8] not in str(refusal.value)
    assert path.read_bytes() == content


def test_a_missing_file_is_refused_where_it_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="can't be read: No such file"):
        load(tmp_path / "secret")
    assert os.listdir(tmp_path) == []


def test_a_directory_a_fifo_and_a_dangling_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("directory", "fifo", "link"):
        for read in (load, load_or_create):
            with pytest.raises(MasterKeyError, match=str(tmp_path / name)):
                read(tmp_path / name)


def test_a_place_that_cannot_be_written_is_a_clear_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MasterKeyError, match="can't be"):
        load_or_create(tmp_path / "file" / "master.key")
