"""Fuzz targets: each reader of untrusted bytes, as `bytes -> None`.

A target returns for good input and for input that is rejected in the way its docstring promises;
whatever else comes out of it is a finding. Imports stand in the functions that make a target, so
that only what it needs is loaded, and loaded with coverage where there is any (run_target.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Target = Callable[[bytes], None]

PROJECT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).resolve().parent / "corpus"
EXAMPLES = PROJECT / "examples"
DIGEST_BYTES = 47
DIGEST_HEAD = b"\0\x2d\x0c.rune_digest"


@dataclass(frozen=True)
class Fuzzed:
    """A target: how it is made, what it starts from, how long an input may be.

    `share` is how many of the executions of a run that counts them it gets: some are slow.
    `words` are put into inputs.
    """

    make: Callable[[], Target]
    seeds: Callable[[], Iterator[bytes]]
    bytes_max: int = 4096
    share: float = 1.0
    words: tuple[bytes, ...] = ()

    def dictionary(self) -> str:
        """The words as libFuzzer reads them."""
        quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in self.words)
        return "".join(f'"{word}"\n' for word in quoted)


def _scratch() -> Path:
    """A folder of this process for files that a reader takes by path."""
    folder = Path(tempfile.gettempdir()) / f"runec-fuzz-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return folder


def remove_scratch() -> None:
    """Remove this process's folder."""
    shutil.rmtree(Path(tempfile.gettempdir()) / f"runec-fuzz-{os.getpid()}", ignore_errors=True)


def _with_digest(data: bytes) -> bytes:
    """The same file with a right digest at its end, so that what lies behind it is reached."""
    body = data[:-DIGEST_BYTES] if len(data) > DIGEST_BYTES else data
    return body + DIGEST_HEAD + hashlib.sha256(body).digest()


def _vectors() -> Iterator[bytes]:
    for path in sorted((PROJECT / "tests" / "container" / "vectors").glob("*.hex")):
        words = (line.split("#")[0] for line in path.read_text().splitlines())
        with contextlib.suppress(ValueError):
            yield bytes.fromhex("".join(words))


def _modules() -> Iterator[bytes]:
    """The code of the vectors, with the bodies that it has."""
    from runec.container import read_rune
    from runec.diagnostics import RunecError

    for data in _vectors():
        with contextlib.suppress(RunecError):
            yield read_rune(data).code


def _rune() -> Target:
    from runec.container import module_imports, read_rune
    from runec.container.graph_json import decode_graph, encode_graph
    from runec.diagnostics import RunecError

    def check(data: bytes) -> None:
        for whole in (data, _with_digest(data)):
            try:
                rune = read_rune(whole)
            except RunecError:
                continue
            module_imports(rune)
            if rune.graph is not None:
                assert decode_graph(encode_graph(rune.graph)) == rune.graph

    return check


def _graph() -> Target:
    from runec.container.graph_json import decode_graph, encode_graph
    from runec.container.graph_rules import check_graph
    from runec.diagnostics import RunecError

    def check(data: bytes) -> None:
        try:
            graph = decode_graph(data)
            check_graph(graph)
        except RunecError:
            return
        encoded = encode_graph(graph)
        assert decode_graph(encoded) == graph
        assert encode_graph(decode_graph(encoded)) == encoded

    return check


def _graphs() -> Iterator[bytes]:
    from runec.container import read_rune
    from runec.container.graph_json import encode_graph
    from runec.diagnostics import RunecError

    for data in _vectors():
        with contextlib.suppress(RunecError):
            graph = read_rune(data).graph
            if graph is not None:
                yield encode_graph(graph)


def _wasm() -> Target:
    from runec.codegen.wasm import finish_module, read_facts
    from runec.container.wasm import read_module, walk_sections
    from runec.diagnostics import UserFileError

    def check(data: bytes) -> None:
        with contextlib.suppress(UserFileError):
            read_module(data, walk_sections(data))
        try:
            facts = read_facts(data)
        except (UserFileError, ValueError):
            return
        assert facts.is_recursive in (True, False)
        finished = finish_module(data, 70000, {"_call", "memory"})
        read_module(finished, walk_sections(finished))

    return check


def _aot() -> Target:
    from runec.backends.aot import compile_module
    from runec.container.errors import RuneFileError

    def check(data: bytes) -> None:
        with contextlib.suppress(RuneFileError):
            compile_module(data, 4096)

    return check


def _tflite() -> Target:
    from runec.diagnostics import UserFileError
    from runec.models import (
        Engine,
        ModelFile,
        engine_objection,
        resolve_model,
    )

    def engines(model: ModelFile) -> object:
        operators = model.info.operators
        return [engine_objection(engine, model.graph, operators) for engine in Engine]

    readers: tuple[Callable[[ModelFile], object], ...] = (
        lambda model: model.info,
        lambda model: model.graph,
        lambda model: model.arena_bytes,
        lambda model: model.input_ranges,
        lambda model: model.findings,
        lambda model: model.wrong_tensors,
        lambda model: model.wrong_shapes,
        engines,
        lambda model: resolve_model(model, may_learn=False),
    )

    def check(data: bytes) -> None:
        for read in readers:
            with contextlib.suppress(UserFileError):
                read(ModelFile(data))  # again: each must find the mistakes by itself

    return check


def _models() -> Iterator[bytes]:
    if str(EXAMPLES.parent) not in sys.path:  # `make fuzz` runs in this folder
        sys.path.append(str(EXAMPLES.parent))
    from tests import shape_models
    from tests.models import test_custom_rules, test_soundness

    yield from (shape_models.keras_reshape(), shape_models.moved_axes(), shape_models.places())
    yield from (test_soundness.branches(), test_soundness.looping(), test_soundness.counting())
    yield from (test_custom_rules.model(*case) for case in test_custom_rules.RIGHT.values())
    for path in sorted(EXAMPLES.glob("*/*.tflite")):
        if path.stat().st_size <= 32768:
            yield path.read_bytes()


def _runefile(path: str) -> Target:
    from runec.diagnostics import Diagnostics, RunecError, SourceFile, render
    from runec.frontend import analyse_text, parse, yaml_nodes
    from runec.frontend.convert import convert
    from runec.frontend.formatting import format_runefile, meaning
    from runec.frontend.yaml_lists import find_runs

    folder = _scratch()
    shutil.copyfile(EXAMPLES / "sine" / "sinemodel.tflite", folder / "sinemodel.tflite")

    def read(text: str) -> object:
        diagnostics = Diagnostics()
        return meaning(parse(text, path, diagnostics)) if not diagnostics.has_errors else None

    def check_lists(text: str) -> None:
        """What is read without the lines of long lists is what is read from the whole text."""
        source = SourceFile(path, text)
        try:
            short = yaml_nodes._read(source, find_runs(text, 3))
        except Exception:  # noqa: BLE001 - then the whole text is read
            return
        assert short == yaml_nodes._read(source, ())

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        if "/dev" in text or "/proc" in text:
            return  # a folder of devices is not a file to read, and reading some of them never ends
        try:
            analysis = analyse_text(text, path, folder, "fuzzed")
        except RunecError as error:
            for diagnostic in error.diagnostics:
                render(diagnostic)
                diagnostic.as_json()
            analysis = None
        try:
            formatted = format_runefile(text, path)
        except RunecError:
            assert analysis is None, "what builds can be formatted"
        else:
            assert format_runefile(formatted, path) == formatted
            assert read(formatted) == read(text)
        if path.endswith(".yml"):
            check_lists(text)
            return
        refused = None
        try:
            converted = convert(text, path, folder)
        except RunecError as error:
            refused = error.code
        else:
            analyse_text(converted, "Runefile.yml", folder, "fuzzed")
        assert analysis is None or refused in (None, "R0022"), "what builds can be converted"

    return check


def _runefiles(*names: str) -> Iterator[bytes]:
    wanted = [path for name in names for path in EXAMPLES.glob(f"*/{name}")]
    invalid = PROJECT / "tests" / "frontend" / "invalid"
    for suffix in {Path(name).suffix or f".{name}" for name in names}:
        wanted += invalid.glob(f"*{suffix}")
    for path in sorted(wanted):
        yield path.read_bytes()


def _link() -> Target:
    from runec.devices.frames import Frame, FrameReader, encode_frame
    from runec.devices.link import DataWanted, Event, Link

    def check(data: bytes) -> None:
        link, reader = Link(), FrameReader()
        wanted: list[DataWanted] = []
        sent = b""
        now_ms = 0.0
        at = 0

        def take(count: int) -> bytes:
            nonlocal at
            at += count
            return data[at - count : at]

        while at < len(data):
            order, *argument = take(2)
            size = argument[0] if argument else 0
            events: list[Event] = []
            if order % 8 < 3 and link.is_idle:
                (link.greet, link.run, link.ask_stats)[order % 8](now_ms)
            elif order % 8 == 3:
                now_ms += 10.0 * size
                events = link.tick(now_ms)
            elif order % 8 == 4 and wanted:
                last = wanted.pop()
                if last.length <= 4096:
                    link.give(bytes(last.length), now_ms)
                else:
                    link.refuse(7, "too much", now_ms)
            elif order % 8 == 5:
                events = link.receive(take(size), now_ms)
            else:
                # A good frame: half the time with the number that the host counts with.
                body = take(size % 24)
                seq = sent[2] if order % 16 > 7 and len(sent) > 2 else size
                frame = Frame(0x80 | order >> 4, seq % 256, body)
                events = link.receive(encode_frame(frame), now_ms)
            wanted += [event for event in events if isinstance(event, DataWanted)]
            sent = link.output() or sent
        # However a stream is cut, the same comes out of it.
        whole = [*reader.feed(data), *reader.flush()]
        step = 1 if len(data) < 256 else 61
        pieces = (data[start : start + step] for start in range(0, len(data), step))
        cut = [item for piece in pieces for item in reader.feed(piece)]
        assert [*cut, *reader.flush()] == whole

    return check


def _conversations() -> Iterator[bytes]:
    from runec.devices.frames import Frame, encode_frame

    ack = b"\x01\x00" + bytes((0x06 | 8, 0))
    for kind in range(8):
        body = bytes(range(20))
        yield ack + bytes((kind << 4 | 6, 20)) + body + b"\x04\x00\x03\xff"
        frame = encode_frame(Frame(0x80 | kind, 1, body))
        yield b"\x00\x00\x05" + bytes((len(frame),)) + frame
    yield b"\x05\xff" + b"words without an end " * 240 + b"\0\0"
    yield b"\x05\xffhello, this is the boot loader\r\n\0more\0" * 3


def _report() -> Target:
    from runec.devices.selftest_report import parse_report, silicon_objections
    from runec.diagnostics import UserFileError

    def check(data: bytes) -> None:
        try:
            report = parse_report(data, "report.json")
        except UserFileError:
            return
        assert parse_report(report.encode(), "again") == report
        silicon_objections(report, report.board)

    return check


def _reports() -> Iterator[bytes]:
    from runec.devices.selftest_report import BEFORE, OPTIONAL, REQUIRED

    def fact(name: str, status: str = "not available") -> dict[str, object]:
        value = None if status == "not available" else 60
        return {"name": name, "status": status, "value": value, "why": "x"}

    facts = [fact("identity.CPUID", "measured"), *map(fact, OPTIONAL)]
    facts += [fact(name, "passed") for name in REQUIRED]
    for target, start in (("serial:COM1", "reset"), ("emulator:esp32", "emulator")):
        report = {
            "format": 1,
            "runec": "1.0.0",
            "board": "esp32",
            "target": target,
            "time": "2026-01-01T00:00:00Z",
            "firmware": "0" * 64,
            "result": "passed",
            "before": [*map(fact, BEFORE)],
            "passes": [{"start": start, "facts": facts}] * 2,
        }
        yield json.dumps(report).encode()


def _file(name: str, read: Callable[[Path], object]) -> Target:
    """A reader of a file, which rejects with a RunecError and nothing else."""
    from runec.diagnostics import RunecError

    path = _scratch() / name

    def check(data: bytes) -> None:
        path.write_bytes(data)
        with contextlib.suppress(RunecError):
            read(path)

    return check


def _wav() -> Target:
    from runec.diagnostics import Diagnostic
    from runec.vm.sound import read_sound

    def read(path: Path) -> None:
        warned: list[Diagnostic] = []
        data = read_sound(path, 16000, 64, 0, warned.append)
        assert len(data) <= 128
        assert len(read_sound(path, 4000, 16, 0, warned.append)) <= 32

    return _file("x.wav", read)


def _sounds() -> Iterator[bytes]:
    def chunk(name: bytes, content: bytes) -> bytes:
        return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)

    for tag, bits in ((1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8)):
        for channels, rate in ((1, 16000), (2, 44100)):
            frame = channels * bits // 8
            form = b"".join(
                value.to_bytes(size, "little")
                for value, size in (
                    *((tag, 2), (channels, 2), (rate, 4)),
                    *((rate * frame, 4), (frame, 2), (bits, 2)),
                )
            )
            body = chunk(b"fmt ", form) + chunk(b"LIST", b"x") + chunk(b"data", bytes(frame * 8))
            yield b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body
            long = (
                b"ds64" + (16).to_bytes(4, "little") + bytes(8) + (8 * frame).to_bytes(8, "little")
            )
            yield b"RF64" + b"\xff" * 4 + b"WAVE" + long + body
    head = b"fmt \0\0\0\x10" + b"".join(
        value.to_bytes(size, "big")
        for value, size in ((1, 2), (1, 2), (16000, 4), (32000, 4), (2, 2), (16, 2))
    )
    yield b"RIFX\0\0\0\0WAVE" + head + b"LIST\0\0\0\1x" + b"data\0\0\0\0" + bytes(9)


def _csv() -> Target:
    from runec.diagnostics import Diagnostic, render
    from runec.vm.recording import read_recording

    def read(path: Path) -> None:
        warned: list[Diagnostic] = []
        assert len(read_recording(path, 50, warned.append)) % 12 == 0
        for warning in warned:
            render(warning)

    return _file("x.csv", read)


def _recordings() -> Iterator[bytes]:
    yield b"x,y,z\n1,2,3\n-1.5e3;2;3\n\n"
    yield b"\xef\xbb\xbf1\t2\t3\r\n4\t5\t6"
    yield b"sep=;\n# about\ntime (ms);accZ;accY;accX;a\nms;g;g;g;\n0;1,5;2,5;-3,5;u\n9;1;2;3;u\n"
    yield 'timestamp,"acc x","acc y","acc z",\r0,"1.5","2.5",".5",\r20,1,2,3,\r,,,\r'.encode(
        "utf-16"
    )
    rows = "".join(f"2026-01-01T00:00:00.0{ms}0,1,2,3,4,5,6\n" for ms in range(3))
    yield f"date,ax,ay,az,gx,gy,gz\n{rows}".encode()
    yield b"% spaces\n 1,5  2,5 -3,5 \n1 2 3\n"
    yield b"x:0.1,y:-2,z:9,8\nx:1 y:2 z:3\n"
    yield b"1574621345.0,1574621345.0,1574621345.0\n32.0,32.0,32.0\n-12,5,63\n"
    yield (
        b"Device Type,GENEActiv\nSerial,1\nMeasurement Frequency,50 Hz\n"
        b"2012-05-23 16:47:50:000,1,2,3,3,0,26.1\n2012-05-23 16:47:50:020,4,5,6,3,0,26;\n"
    )
    yield b"# x (g),y (g),z (g),x (deg/s),y (deg/s),z (deg/s)\n1,2,3,4,5,6\n"
    yield b"time,sensor,linear_x,linear_y,linear_z,gravity x,gravity y,gravity z\n1,a,2,3,4,5,6,7\n"


def _picture() -> Target:
    from runec.diagnostics import Diagnostic
    from runec.vm import picture

    def read(path: Path) -> None:
        # A file of fifty bytes may have millions of pixels, and takes as long; not here.
        pixels_max, picture.PIXELS_MAX = picture.PIXELS_MAX, 2**16
        warned: list[Diagnostic] = []
        try:
            assert len(picture.read_picture(path, (8, 6), picture.RGB, warned.append)) == 144
            assert len(picture.read_picture(path, (5, 300), picture.GREY, warned.append)) == 1500
            picture.read_picture(path, (None, None), picture.BGR, warned.append)
        finally:
            picture.PIXELS_MAX = pixels_max

    return _file("x.png", read)


def _wide_pictures() -> Iterator[bytes]:
    """Small PNG, TIFF and netpbm files of more than 8 bits a channel."""
    import zlib

    def chunk(name: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(name + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + name + content + crc

    for color, channels in ((2, 3), (4, 2), (6, 4)):
        head = struct.pack(">IIBBBBB", 3, 2, 16, color, 0, 0, 0)
        rows = zlib.compress((b"\0" + bytes(range(6 * channels))) * 2)
        parts = (chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b""))
        yield b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    for bits, channels, photometric, form, packed in (
        *((16, 3, 2, 1, False), (16, 4, 5, 1, True), (16, 1, 0, 1, True), (12, 1, 1, 1, False)),
        *((32, 1, 1, 1, False), (32, 1, 1, 3, True), (8, 1, 1, 2, False)),
    ):
        data = bytes(bits * channels)
        data = zlib.compress(data) if packed else data
        tags = ((256, 4), (257, 2), (258, bits), (259, 8 if packed else 1), (262, photometric))
        more = (
            (273, 8 + 2 + 12 * 10 + 4 + 16),
            (277, channels),
            (278, 2),
            (279, len(data)),
            (339, form),
        )
        entries = b""
        for tag, value in (*tags, *more):
            many = channels if tag in (258, 339) and channels > 2 else 1
            at = 8 + 2 + 12 * 10 + 4 + (8 if tag == 339 else 0)
            place = at if many > 1 else value
            entries += struct.pack("<HHII", tag, 3, many, place)
        head = struct.pack("<2sHIH", b"II", 42, 8, 10) + entries + bytes(4)
        yield head + struct.pack("<8H", *[bits] * 4, *[form] * 4) + data
    yield b"P6 2 2 65535\n" + bytes(range(24))
    yield b"P5 2 2 1023\n" + bytes(8)
    yield b"Pf\n2 2\n-1.0\n" + struct.pack("<4f", 0, 1, 0.5, 0.25)


def _pictures() -> Iterator[bytes]:
    import io

    from PIL import Image

    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        stream = io.BytesIO()
        Image.new(mode, (5, 4)).save(stream, "PNG")
        yield stream.getvalue()
    yield from _wide_pictures()
    for form in ("BMP", "GIF", "PPM", "TGA", "JPEG", "TIFF", "PCX", "JPEG2000", "SGI"):
        stream = io.BytesIO()
        Image.new("RGB", (5, 4), (9, 99, 199)).save(stream, form)
        yield stream.getvalue()


def _board() -> Target:
    from runec.boards.loading import _read_board

    return _file("esp32c3.toml", _read_board)


def _boards() -> Iterator[bytes]:
    for path in sorted((PROJECT / "boards").glob("*.toml")):
        yield path.read_bytes()


def _block() -> Target:
    from runec.pipeline import TensorType
    from runec.proc_blocks import Block, BlockMismatch
    from runec.proc_blocks.reading import load_manifest

    types = [TensorType.parse(text) for text in ("f32[1, 4]", "u8[3]", "utf8[2]")]

    def read(path: Path) -> None:
        manifest, _ = load_manifest(path)
        block = Block.from_manifest("fuzzed", path.parent, manifest)
        for count in range(3):
            for kind in types:
                with contextlib.suppress(BlockMismatch):
                    block.resolve([kind] * (count + 1), [], {})

    return _file("block.toml", read)


def _blocks() -> Iterator[bytes]:
    for path in sorted((PROJECT / "runec" / "proc_blocks" / "blocks").glob("*/block.toml")):
        yield path.read_bytes()


def _output() -> Target:
    """Output of a process that executes an untrusted rune, or of a device."""
    import json

    from runec.diagnostics import RunecError, render
    from runec.vm.device_output import ResultError, check_result
    from runec.vm.legacy_abi import parse_output
    from runec.vm.messages import pack_outputs, unpack_outputs
    from runec.vm.output import output_bytes, output_line, parse_output_bytes
    from runec.vm.process import _reported
    from runec.vm.run import _step, _warning

    def check(data: bytes) -> None:
        with contextlib.suppress(ValueError, struct.error):
            outputs = unpack_outputs(data)
            assert unpack_outputs(pack_outputs(outputs)) == outputs
            json.loads(output_line(outputs))
            output_bytes(outputs)
        with contextlib.suppress(ValueError):
            parse_output_bytes(data)
        with contextlib.suppress(RunecError):
            step = _step(data)
            json.dumps([step.lines(), step.as_json()])
        with contextlib.suppress(RunecError):
            render(_warning(data))
        with contextlib.suppress(ValueError, RecursionError):
            parse_output(json.loads(data))
        with contextlib.suppress(ResultError):
            check_result(data)
        assert isinstance(_reported(data), RunecError)

    return check


def _outputs() -> Iterator[bytes]:
    from runec.pipeline import TensorType
    from runec.vm.messages import pack_outputs

    yield pack_outputs([(3, [(TensorType.parse("f32[2, 1]"), b"\0\0\xc0\x7f\0\0\x80\x3f")])])
    yield pack_outputs([(1, [(TensorType.parse("utf8[1]"), b"\2\0\0\0ab")]), (2, [])])
    yield b'{"type_name":"f32","dimensions":[2],"elements":[1.5,null],"channel":1}'
    yield b'{"code":"R0705","message":"m","hint":null,"notes":[],"kind":"rune"}'
    yield b'{"2":[{"element-type":"i32","dimensions":[2],"elements":[1,2]}]}\n'
    yield b'{"2":{"pin":"LED","level":1}}\nboot'
    yield b'{"stage":"a","kind":"model","inputs":[],"outputs":[],"seconds":0.5}'


def _request() -> Target:
    """What a rune asks for, and with which parameters."""
    from runec.diagnostics import RunecError
    from runec.vm.inputs import InputReader, Inputs
    from runec.vm.run import _provide

    folder = _scratch()
    files = {"r": b"abcd", "c.csv": b"1,2,3\n4,5,6\n"}
    files |= {"w.wav": list(_sounds())[2], "p.png": list(_pictures())[4]}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    raw, recording, sound, picture = ((folder / name,) for name in files)
    inputs = Inputs(raw, recording, sound, picture)

    def check(data: bytes) -> None:
        with contextlib.suppress(RunecError):
            assert isinstance(_provide(InputReader(inputs), data), bytes)

    return check


def _requests() -> Iterator[bytes]:
    for kind, element, parameters, length in (
        ("SOUND", '"i16"', '"hz":16000,"sample_duration_ms":1', 4),
        ("SOUND", '"i16"', '"frequency":8000,"sample_duration":0.5', 4),
        ("IMAGE", '"u8"', '"width":2,"height":3,"pixel_format":2', 6),
        ("FLOAT_IMAGE", '"f32"', '"width":2,"height":3', 24),
        ("ACCEL", "null", '"source":0', 24),
        ("RAW", '"u8"', '"length":4', 4),
        ("RAND", '"f32"', "", 8),
    ):
        yield (
            f'{{"kind":"{kind}","element":{element},"parameters":{{{parameters}}},'
            f'"length":{length}}}'
        ).encode()


# What text formats stumble over: libFuzzer puts these in.
_NUMBERS = (b"-1", b"0", b"2147483648", b"1e999", b"-1e999", b"1e308", b"nan", b"inf", b"NaN")
_WORDS = (b"null", b"true", b"[]", b"{}", b"[[", b'"', b"\\u0000", b"\\ud800", b"\xf0\x9f\x90\x8d")
_RUNEFILE = (
    *(b"FROM ", b"CAPABILITY<F32[1, 1]> ", b"PROC_BLOCK<_,_> ", b"MODEL<_,_> ", b"OUT ", b"RUN "),
    *(b"--", b"\\\n", b"#", b"_", b"[1, _]", b"utf8", b"$NAME", b"$", b"RESOURCE ", b"'", b","),
    *(b"pipeline:", b"resources:", b"inputs: ", b"outputs:\n", b"- type: ", b"dimensions: "),
    *(b"args:", b"capability: ", b"proc-block: ", b"model: ", b"out: ", b"path: ", b"inline: "),
    *(
        b"|\n",
        b">-\n",
        b"&a",
        b"*a",
        b"<<",
        b"!!int ",
        b"? ",
        b"---\n",
        b"...",
        b".1",
        b"\t",
        b"\r",
    ),
    *(b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"0x1f", b"0o7", b"1_000", b".inf", b"12:30"),
)


def _other_file() -> Target:
    from runec.diagnostics import RunecError
    from runec.models.c_source import extract_model, model_names
    from runec.models.other_files import identify

    def check(data: bytes) -> None:
        identify(data)
        model_names(data)
        with contextlib.suppress(RunecError):
            assert extract_model(data).data[4:8] == b"TFL3"

    return check


def _other_files() -> Iterator[bytes]:
    import gzip
    import io
    import zipfile

    yield b"static const int8_t g[12] PROGMEM = {0x1c, 0, 00, '\\0', 84, 70, 76, 51, -1 /* */};"
    yield b'const char g[] = "\\x1c\\000\\0\\0TFL3" "abc";\nint g_len = 11;'
    yield b"version https://git-lfs.github.com/spec/v1\nsize 7\n"
    yield b'{"modelTopology": {}}'
    yield b"\x08\x08\x12\x03abc\x3a\x03abc"
    yield gzip.compress(b"\x1c\0\0\0TFL3")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/x.tflite", b"a")
    yield stream.getvalue()


TARGETS = {
    "other_file": Fuzzed(_other_file, _other_files, 8192, words=_NUMBERS + _WORDS),
    "rune": Fuzzed(_rune, _vectors),
    "graph": Fuzzed(_graph, _graphs, 8192, words=_NUMBERS + _WORDS),
    "wasm": Fuzzed(_wasm, _vectors),
    "aot": Fuzzed(_aot, _modules, 2048),
    "tflite": Fuzzed(_tflite, _models, 8192),
    "legacy": Fuzzed(
        lambda: _runefile("Runefile"),
        lambda: _runefiles("Runefile"),
        8192,
        0.3,
        _NUMBERS + _WORDS + _RUNEFILE,
    ),
    "yaml": Fuzzed(
        lambda: _runefile("Runefile.yml"),
        lambda: _runefiles("Runefile.yml"),
        8192,
        0.3,
        _NUMBERS + _WORDS + _RUNEFILE,
    ),
    "link": Fuzzed(_link, _conversations, 12288),
    "report": Fuzzed(_report, _reports, 8192, words=_NUMBERS + _WORDS),
    "wav": Fuzzed(_wav, _sounds),
    "csv": Fuzzed(_csv, _recordings, 512, words=_NUMBERS),
    "picture": Fuzzed(_picture, _pictures),
    "board": Fuzzed(_board, _boards, 8192, words=_NUMBERS + _WORDS),
    "block": Fuzzed(_block, _blocks, 8192, words=_NUMBERS + _WORDS),
    "request": Fuzzed(_request, _requests, words=_NUMBERS + _WORDS),
    "output": Fuzzed(_output, _outputs, 8192, words=_NUMBERS + _WORDS),
}


def regressions(name: str) -> list[Path]:
    """The inputs of a target that once were findings."""
    return sorted((CORPUS / name).glob("*")) if (CORPUS / name).is_dir() else []
