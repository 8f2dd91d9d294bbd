"""A device at a pty that does its worst: `hostile_peer.py MODE DIGEST` prints the port's path.

It speaks the link from docs/spec/link.md by itself, with nothing of runec.
"""

from __future__ import annotations

import os
import pty
import select
import struct
import sys
import time
import tty
import zlib
from collections.abc import Iterator

TEXT = b"\x1b[2Jnot json \xff\xfe"
SECRET = b"\x1b]0;pwned\x07"
FORGED = SECRET + b"\r\nerror[R9999]: forged\n"


def tensor(elements: bytes, count: bytes = b"1", kind: bytes = b"i32") -> bytes:
    return b'[{"element-type":"%s","dimensions":[%s],"elements":[%s]}]' % (kind, count, elements)


# What a device may send as a whole result, with a right checksum.
RESULTS = {
    "not json": TEXT,
    "empty": b"",
    "newline": b"\n",
    "no newline": b'{"2":' + tensor(b"1") + b"}",
    "two lines": b'{"2":' + tensor(b"1") + b'}\n{"2":[]}\n',
    "text before": b"booting\n" + b'{"2":' + tensor(b"1") + b"}\n",
    "cut short": b'{"2":' + tensor(b"1")[:-2],
    "other size": b'{"2":' + tensor(b"1") + b"}\n",
    "list": b"[]\n",
    "number": b"1\n",
    "raw control": b'{"2":[{"element-type":"utf8","dimensions":[1],"elements":["'
    + SECRET
    + b'"]}]}\n',
    "not utf-8": b'{"2":[{"element-type":"utf8","dimensions":[1],"elements":["\xff"]}]}\n',
    "NaN": b'{"2":' + tensor(b"NaN") + b"}\n",
    "huge": b'{"2":' + tensor(b"1" + b"0" * 400) + b"}\n",
    "huge exponent": b'{"2":' + tensor(b"1e999") + b"}\n",
    "digits": b'{"2":' + tensor(b"1" * 5000) + b"}\n",
    "deep": b'{"2":' + b"[" * 100_000 + b"}\n",
    "too few": b'{"2":' + tensor(b"1", b"2") + b"}\n",
    "too many": b'{"2":' + tensor(b"1", b"1,4294967296,4294967296") + b"}\n",
    "negative": b'{"2":' + tensor(b"1", b"-1,-1") + b"}\n",
    "text for a number": b'{"2":' + tensor(b'"x"') + b"}\n",
    "truth": b'{"2":' + tensor(b"true") + b"}\n",
    "other type": b'{"2":' + tensor(b"1", kind=b"f128") + b"}\n",
    "no tensor": b'{"2":["x"]}\n',
    "null": b'{"2":null}\n',
    "other keys": b'{"2":[{"elements":[1]}]}\n',
    "other output": b'{"9":' + tensor(b"1") + b"}\n",
    "named output": b'{"x":' + tensor(b"1") + b"}\n",
    "pin": b'{"2":{"pin":1,"level":1}}\n',
    "level": b'{"2":{"pin":"x","level":7}}\n',
    "binary": b"\x06\0\0\0i32[1]\1\0\0\0",
    "binary that lies": b"\xff\xff\xff\xffi32[1]",
}


def cobs(data: bytes) -> bytes:
    out = bytearray()
    for part in data.split(b"\0"):
        rest = part
        while len(rest) >= 254:
            out += b"\xff" + rest[:254]
            rest = rest[254:]
        out += bytes((len(rest) + 1,)) + rest
    return bytes(out)


def uncobs(data: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data):
        count = data[at]
        out += data[at + 1 : at + count]
        at += max(count, 1)
        if count < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    payload = bytes((kind, seq % 256)) + body
    return b"\0" + cobs(payload + struct.pack("<I", zlib.crc32(payload))) + b"\0"


class Peer:
    def __init__(self, mode: str, digest: bytes) -> None:
        self.mode, self.digest = mode, digest
        self.master, slave = pty.openpty()
        tty.setraw(self.master)
        tty.setraw(slave)
        sys.stdout.write(f"{os.ttyname(slave)}\n")
        sys.stdout.flush()
        self.seq = 0
        self.queue: list[bytes] = []
        self.number = 0

    def write(self, data: bytes) -> None:
        while data and select.select([], [self.master], [], 1)[1]:
            data = data[os.write(self.master, data[:1024]) :]

    def requests(self) -> Iterator[tuple[int, int]]:
        buffer = b""
        while True:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                buffer += os.read(self.master, 4096)
            except OSError:  # nobody has the port open
                time.sleep(0.05)
                continue
            *frames, buffer = buffer.split(b"\0")
            for payload in map(uncobs, filter(None, frames)):
                if (
                    len(payload) >= 6
                    and zlib.crc32(payload[:-4]).to_bytes(4, "little") == payload[-4:]
                ):
                    yield payload[0], payload[1]

    def hello(self, seq: int) -> bytes:
        def text(data: bytes) -> bytes:
            return bytes((len(data),)) + data

        board = FORGED if self.mode == "hello controls" else b"paper"
        head = bytes((1, 1)) + bytes(2) + self.digest + bytes(12)
        if self.mode == "hello short":
            head = head[:20]
        return frame(0x81, seq, head + text(board) + text(b"0") + text(b"wasm3"))

    def send(self, kind: int, body: bytes) -> None:
        self.seq += 1
        self.queue.append(frame(kind, self.seq, body))

    def begin(self, seq: int) -> None:
        mode = self.mode
        self.write(frame(0x80, seq))
        if mode in RESULTS:
            data = RESULTS[mode]
            for at in range(0, len(data), 232):
                self.send(0x83, at.to_bytes(4, "little") + data[at : at + 232])
            self.send(0x84, struct.pack("<II", len(data), zlib.crc32(data)))
        elif mode == "endless result":
            self.send(0x83, bytes(4) + b"x" * 232)
        elif mode == "done lies":
            self.send(0x84, struct.pack("<II", 0xFFFFFFFF, 0))
        elif mode == "parts out of order":
            self.send(0x83, (500).to_bytes(4, "little") + b"x")
        elif mode == "needs a lot":
            self.send(0x82, struct.pack("<III", 1, 0xFFFFFFFF, 0))
        elif mode == "needs what is not there":
            self.send(0x82, struct.pack("<III", 0xFFFFFFFF, 4, 0))
        elif mode == "needs the end first":
            self.send(0x82, struct.pack("<III", 1, 16, 15))
        elif mode == "needs for ever":
            self.send(0x82, struct.pack("<III", 1, 16, 0))
        elif mode == "fails with controls":
            self.send(0x85, struct.pack("<H", 301) + bytes((len(FORGED),)) + FORGED + b"\4\x9b[2J")
        elif mode == "fails in an unknown way":
            self.send(0x85, struct.pack("<H", 65535) + b"\0\0")
        elif mode == "empty failure":
            self.send(0x85, b"\1")
        elif mode == "restarts":
            self.write(self.hello(0))
        elif mode in ("logs", "hellos", "other kinds", "text", "zeros"):
            flood = {
                "logs": frame(0x86, 0, b"\2" + FORGED * 5),
                "hellos": self.hello(77),
                "other kinds": frame(0xF0, 1, b"x" * 200),
                "text": b"\0" + b"A" * 1000,
                "zeros": bytes(1000),
            }[mode]
            end = time.monotonic() + 20
            while time.monotonic() < end:
                self.write(flood)

    def serve(self) -> None:
        for kind, seq in self.requests():
            if self.mode == "zeros without hello":
                while True:
                    self.write(bytes(1000))
            if kind == 1:
                self.queue.clear()
                self.write(self.hello(seq))
            elif kind == 2:
                self.begin(seq)
                self.next()
            elif kind in (3, 4, 5):
                if self.mode == "endless result":
                    self.number += 232
                    self.send(0x83, self.number.to_bytes(4, "little") + b"x" * 232)
                elif self.mode == "needs for ever" and kind == 3:
                    self.send(0x82, struct.pack("<III", 1, 16, 0))
                elif kind == 5:
                    self.send(0x85, struct.pack("<H", 401) + b"\0\0")
                self.next()

    def next(self) -> None:
        if self.queue:
            self.write(self.queue.pop(0))


if __name__ == "__main__":
    Peer(sys.argv[1], bytes.fromhex(sys.argv[2])).serve()
