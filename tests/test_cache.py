"""The content-keyed store and what bounds it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runec import cache
from runec.cache import Store, clear, content_key, prune, usage

KEY = content_key("a", "b")


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def filled(folder: Path, payload: bytes = b"payload") -> Path:
    Store(folder).put(KEY, payload)
    (path,) = entries(folder)
    return path


def test_what_was_put_is_got_under_its_key_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.get(KEY) is None
    store.put(KEY, b"payload")
    assert (store.get(KEY), Store(tmp_path).get(KEY)) == (b"payload", b"payload")
    assert store.get(content_key("ab")) is None
    assert store.warning is None


def test_the_parts_of_a_key_are_told_apart() -> None:
    keys = [content_key(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", "")]]
    assert len(set(keys)) == 4
    assert content_key("ü") == content_key("ü".encode())


@pytest.mark.parametrize("size", [0, 1, 31, 32, 38])
def test_an_entry_that_was_cut_short_is_none(tmp_path: Path, size: int) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    assert Store(tmp_path).get(KEY) is None


def test_no_flipped_bit_goes_unseen_and_the_entry_is_made_anew(tmp_path: Path) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert Store(tmp_path).get(KEY) is None
    Store(tmp_path).put(KEY, b"payload")
    assert path.read_bytes() == whole


def test_an_entry_in_the_place_of_another_is_none(tmp_path: Path) -> None:
    path = filled(tmp_path)
    other = content_key("other")
    (tmp_path / other[:2]).mkdir(exist_ok=True)
    path.rename(tmp_path / other[:2] / other[2:])
    assert Store(tmp_path).get(other) is None


def test_a_payload_too_large_for_an_entry_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, bytes(cache.ENTRY_BYTES_MAX + 1))
    assert entries(tmp_path) == []
    store.put(KEY, bytes(cache.ENTRY_BYTES_MAX))
    assert store.get(KEY) == bytes(cache.ENTRY_BYTES_MAX)


def test_a_folder_that_is_a_file_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = Store(tmp_path / "file")
    assert store.get(KEY) is None
    first = store.warning
    assert first is not None
    assert first.code == "R1006"
    store.put(KEY, b"payload")
    assert store.warning is first


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_one_warning_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", refuse)
    store = Store(tmp_path)
    store.put(KEY, b"payload")
    assert store.warning is not None
    assert "--no-cache" in str(store.warning.hint)
    assert entries(tmp_path) == []


def test_a_user_without_a_home_builds_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "RUNEC_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # a user whom the system does not know
    store = Store.compiled()
    assert store.get(KEY) is None
    store.put(KEY, b"payload")
    assert store.warning is not None
    assert store.warning.code == "R1006"


def test_processes_that_write_at_once_leave_whole_entries(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom runec.cache import Store, content_key\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for turn in range(60):\n"
        "    for number in range(4):\n"
        "        key = content_key(str(number))\n"
        "        found = store.get(key)\n"
        "        assert found in (None, bytes([number]) * 5000), found\n"
        "        store.put(key, bytes([number]) * 5000)\n"
        "assert store.warning is None, store.warning\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, tmp_path]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    assert len(entries(tmp_path)) == 4


def aged(folder: Path, name: str, size: int, age_s: float) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    when = path.stat().st_mtime - age_s
    os.utime(path, (when, when))
    return path


def test_what_was_used_longest_ago_is_pruned_first(tmp_path: Path) -> None:
    aged(tmp_path, "a/1", 10, 9000)
    aged(tmp_path, "b/2", 10, 8000)
    kept = [aged(tmp_path, "a/3", 10, 7000), aged(tmp_path, "c/4", 10, 6000)]
    prune(tmp_path, 20)
    assert entries(tmp_path) == kept
    prune(tmp_path, 20)
    assert entries(tmp_path) == kept


def test_what_may_be_in_use_is_not_pruned(tmp_path: Path) -> None:
    kept = [aged(tmp_path, "1", 10, 1000), aged(tmp_path, "2", 10, 0)]
    aged(tmp_path, "3", 10, 4000)
    prune(tmp_path, 0)
    assert entries(tmp_path) == kept


def test_a_time_in_the_future_does_not_protect_for_ever(tmp_path: Path) -> None:
    aged(tmp_path, "1", 10, -1_000_000)
    prune(tmp_path, 0)
    assert entries(tmp_path) == []


def test_pruning_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    prune(tmp_path / "none", 0)
    assert list(tmp_path.iterdir()) == []


def test_a_store_stays_below_its_bound_and_keeps_what_is_used(tmp_path: Path) -> None:
    store = Store(tmp_path, max_bytes=256 * 500)
    keys = [key for key in (content_key(str(n)) for n in range(4000)) if key.startswith("00")]
    assert len(keys) > 8
    for age, key in enumerate(keys):
        store.put(key, bytes(68))  # an entry has 100 bytes: five fit
        path = tmp_path / key[:2] / key[2:]
        if path.exists():
            when = path.stat().st_mtime - 1000 + age
            os.utime(path, (when, when))
        assert store.get(keys[0]) is not None
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 500
    assert len(entries(tmp_path)) == 5
    assert store.get(keys[-1]) is not None
    assert store.get(keys[1]) is None


def test_usage_counts_and_clear_removes_what_builds_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path))
    Store.compiled().put(KEY, b"payload")
    aged(tmp_path, "objects/ab/cdef", 10, 0)
    aged(tmp_path, "components/wasm3/a.c", 20, 0)
    counted = {item.part: (item.files, item.bytes) for item in usage()}
    assert counted["compiled"] == (1, 39)
    assert counted["objects"] == (1, 10)
    assert counted["components"] == (1, 20)
    clear()
    counted = {item.part: (item.files, item.bytes) for item in usage()}
    assert counted["compiled"] == counted["objects"] == (0, 0)
    assert counted["components"] == (1, 20)
    clear()
