"""Keys made of contents, and what bounds the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runec.cache import clear, content_key, prune, usage


def test_the_parts_of_a_key_are_told_apart() -> None:
    keys = [content_key(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", "")]]
    assert len(set(keys)) == 4
    assert content_key("ü") == content_key("ü".encode())


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


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


def test_usage_counts_and_clear_removes_what_builds_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path))
    aged(tmp_path, "objects/ab/cdef", 10, 0)
    aged(tmp_path, "components/wasm3/a.c", 20, 0)
    counted = {item.part: (item.files, item.bytes) for item in usage()}
    assert counted["objects"] == (1, 10)
    assert counted["components"] == (1, 20)
    clear()
    counted = {item.part: (item.files, item.bytes) for item in usage()}
    assert counted["objects"] == (0, 0)
    assert counted["components"] == (1, 20)
    clear()
