"""The options of custom operators: FlexBuffers maps of a few numbers, and nothing else.

The libraries follow the offsets in them without a check. So what is accepted here is narrower than
the format (https://flatbuffers.dev/flexbuffers): one map, all of whose values are integers, floats
or truth values that lie in the map itself, and every byte of which lies in the buffer.
"""

from __future__ import annotations

from runec.models.flatbuffer import MalformedError

_INT, _UINT, _FLOAT, _KEY_VECTOR, _MAP, _BOOL = 1, 2, 3, 14, 9, 26
_MEMBERS_MAX = 32
_KEY_BYTES_MAX = 64


def read_options(data: bytes) -> dict[str, int]:
    """Return the members of a map by name, floats left out.

    Raises:
        MalformedError: it is no map of numbers.
    """
    if len(data) < 3:
        raise MalformedError("the options of a custom operator are empty")
    width, kind = data[-1], data[-2] >> 2
    if kind != _MAP or width not in (1, 2, 4, 8):
        raise MalformedError("the options of a custom operator are no map")
    root = len(data) - 2 - width
    size = 1 << (data[-2] & 3)
    start = root - _number(data, root, width)
    count = _number(data, start - size, size)
    if count > _MEMBERS_MAX:
        raise MalformedError(f"the options of a custom operator have {count} members")
    keys_at = start - 3 * size
    keys = keys_at - _number(data, keys_at, size)
    key_size = _number(data, start - 2 * size, size)
    if key_size not in (1, 2, 4, 8) or _number(data, keys - key_size, key_size) != count:
        raise MalformedError("the options of a custom operator have other keys than members")
    found: dict[str, int] = {}
    names: list[bytes] = []
    for position in range(count):
        at = keys + position * key_size
        names.append(_key(data, at - _number(data, at, key_size)))
        member = start + position * size
        form = _number(data, start + count * size + position, 1) >> 2
        if form not in (_INT, _UINT, _FLOAT, _BOOL):
            raise MalformedError(
                "the options of a custom operator have a member that is not a number"
            )
        value = _number(data, member, size, signed=form == _INT)
        if form != _FLOAT:
            found[names[-1].decode()] = value
    if names != sorted(set(names)):
        # They are looked up by their position.
        raise MalformedError("the keys of a custom operator's options are not in order")
    return found


def _number(data: bytes, at: int, size: int, *, signed: bool = False) -> int:
    if at < 0 or at + size > len(data):
        raise MalformedError("the options of a custom operator lead out of themselves")
    return int.from_bytes(data[at : at + size], "little", signed=signed)


def _key(data: bytes, at: int) -> bytes:
    end = data.find(b"\0", at, at + _KEY_BYTES_MAX) if 0 <= at < len(data) else -1
    name = data[at:end]
    if end < 0 or not name.isascii():
        raise MalformedError("the options of a custom operator have a key that does not end")
    return name
