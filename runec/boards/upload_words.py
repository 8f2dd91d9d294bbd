"""Upload commands that only write the files of a build to the board, in each tool's spellings.

The tables hold every option that an untrusted board file may use. An option that runs a program,
reads or writes another file, opens the network or changes the chip for good (fuses, option bytes,
read protection) is not in them, and what is not in them needs trust. Values never begin with `-`,
so that no tool takes a value for an option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


_NUMBER = r"(?:0[xX][0-9a-fA-F]+|[0-9]+[kKmMG]?)"
_AT = rf"(?:{_NUMBER}|\{{code_origin\}})"
_FILE = r"\{(?:elf|image|constants|app)\}"
# `{pyocd_target}` and the like; what stands there has a rule of its own.
_NAME = r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\{[a-z][a-z0-9_]*\})"
_PORT = (
    r"(?:\{port\}|COM[0-9]+|/dev/(?:tty|cu)[A-Za-z0-9._-]*"
    r"|/dev/serial/by-(?:id|path)/[A-Za-z0-9][A-Za-z0-9._:+-]*)"
)
_COUNT = _pattern("[0-9]+")
_SIZE = _pattern(_NUMBER)
_ADDRESS = _pattern(_AT)
_SERIAL_NUMBER = _pattern("[0-9A-Za-z](?:[0-9A-Za-z:,._-]*[0-9A-Za-z])?")
_NOTHING = _pattern("")


@dataclass(frozen=True, slots=True)
class _Options:
    """Options by their names: without a value, with one, with one in the same word or none.

    A value follows a long name after `=` or as the next word, and a name of one letter at once or
    as the next word. With `clusters`, letters may share a dash, as getopt() reads them.
    """

    flags: frozenset[str] = frozenset()
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    maybe: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    clusters: bool = False

    def taken(self, words: Sequence[str]) -> int:
        """Return how many words the option at the front takes; 0 where there is none of these."""
        word, following = words[0], words[1:]
        name, equals, value = word.partition("=")
        if not self._is_known(name) or len(name) == len("-e"):
            name, equals, value = word[:2], word[2:], word[2:]
        if name in self.flags:
            if not equals:
                return 1
            # -ew: the rest are letters of their own.
            is_cluster = self.clusters and len(name) == len("-e") and not value.startswith("-")
            return self.taken([f"-{value}", *following]) if is_cluster else 0
        if name in self.maybe:
            return int(not equals or self.maybe[name].fullmatch(value) is not None)
        if name in self.values:
            if equals:
                return int(self.values[name].fullmatch(value) is not None)
            return 2 if following and self.values[name].fullmatch(following[0]) else 0
        return 0

    def _is_known(self, name: str) -> bool:
        return name in self.flags or name in self.values or name in self.maybe


@dataclass(frozen=True, slots=True)
class _Tool:
    """An upload tool: its options, its commands, and the options after the command.

    `commands` maps each command to the words beside the options that it may have, each followed by
    a NUL; a tool without commands has the empty name, and `options` stand anywhere.
    """

    commands: Mapping[str, re.Pattern[str]]
    options: _Options
    after: _Options = _Options()


def _both(*names: str) -> frozenset[str]:
    """Return long names with dashes and, as older versions of esptool have them, underscores."""
    spelt = (f"--{name[2:].replace('-', '_')}" if name.startswith("--") else name for name in names)
    return frozenset((*names, *spelt))


def _each(values: Mapping[tuple[str, ...], re.Pattern[str]]) -> dict[str, re.Pattern[str]]:
    return {name: value for names, value in values.items() for name in names}


_WRITTEN = _pattern(rf"(?:{_AT}\0{_FILE}\0)+")
_ESPTOOL = _Tool(
    commands={"write-flash": _WRITTEN, "write_flash": _WRITTEN},
    options=_Options(
        flags=frozenset(("--no-stub", "--trace", "-t", "--verbose", "-v", "--silent", "-s")),
        values=_each(
            {
                ("--chip", "-c"): _pattern(r"auto|esp[0-9a-z]+"),
                ("--port", "-p"): _pattern(_PORT),
                ("--baud", "-b"): _COUNT,
                ("--before", "--after", "-a"): _pattern("[a-z]+(?:[_-][a-z]+)*"),
                tuple(_both("--connect-attempts")): _COUNT,
            }
        ),
    ),
    after=_Options(
        flags=_both(
            *("--compress", "-z", "--no-compress", "-u", "--erase-all", "-e", "--verify"),
            *("--no-progress", "-p", "--force", "--skip-flashed"),
        ),
        values=_each(
            {
                (*_both("--flash-mode"), "-fm"): _pattern("keep|qio|qout|dio|dout"),
                (*_both("--flash-freq"), "-ff"): _pattern("keep|[0-9]+m"),
                (*_both("--flash-size"), "-fs"): _pattern("keep|detect|[0-9]+[KM]B(?:-c1)?"),
            }
        ),
    ),
)
_DFU_UTIL = _Tool(
    commands={"": _NOTHING},
    options=_Options(
        flags=frozenset(("-R", "--reset", "-w", "--wait", "-v", "--verbose", "-e", "--detach")),
        values=_each(
            {
                ("-d", "--device"): _pattern("[0-9A-Fa-fx*:,][0-9A-Fa-fx*:,-]*"),
                ("-S", "--serial"): _SERIAL_NUMBER,
                ("-p", "--path"): _pattern(r"[0-9]+(?:[.-][0-9]+)*"),
                # An alternate setting has a name as well: "@Internal Flash  /0x08000000/04*016Kg".
                ("-a", "--alt"): _pattern(r"[A-Za-z0-9_@][A-Za-z0-9_@ ./*,:+-]*"),
                ("-c", "--cfg", "-i", "--intf", "-n", "--devnum"): _COUNT,
                ("-E", "--detach-delay"): _COUNT,
                ("-t", "--transfer-size"): _SIZE,
                ("-s", "--dfuse-address"): _pattern(
                    rf"(?:{_AT})?(?::(?:leave|force|mass-erase|will-reset|{_NUMBER}))*"
                ),
                ("-D", "--download"): _pattern(_FILE),
            }
        ),
        clusters=True,
    ),
)
_ST_FLASH = _Tool(
    commands={
        "write": _pattern(rf"{_FILE}\0(?:{_AT}\0)?"),
        "erase": _pattern(rf"(?:{_AT}\0{_NUMBER}\0)?"),
        "reset": _NOTHING,
    },
    options=_Options(
        flags=frozenset(
            ("--reset", "--connect-under-reset", "--hot-plug", "--opt", "--mass-erase", "--debug")
        ),
        values={
            "--freq": _SIZE,
            "--serial": _SERIAL_NUMBER,
            "--flash": _SIZE,
            "--format": _pattern("ihex|binary"),
            # Not the option bytes, which can lock a chip for good.
            "--area": _pattern("main"),
        },
    ),
)
_NRFJPROG = _Tool(
    commands={"": _NOTHING},
    options=_Options(
        flags=frozenset(
            (
                *("-q", "--quiet", "-e", "--eraseall", "--recover", "--chiperase", "--sectorerase"),
                *("--sectoranduicrerase", "--verify", "-r", "--reset", "--debugreset"),
                *("-p", "--pinreset"),
            )
        ),
        values=_each(
            {
                ("-f", "--family"): _pattern("[A-Za-z0-9]+"),
                ("-s", "--snr", "-c", "--clockspeed"): _COUNT,
                ("--program",): _pattern(_FILE),
                ("--coprocessor",): _pattern("CP_[A-Z]+"),
            }
        ),
    ),
)
_REGIONS = _pattern("[0-9]+(?:,[0-9]+)*")
_BOSSAC = _Tool(
    # Versions before 1.9 read the `true` of `-U true` as the value of the option.
    commands={"": _pattern(rf"(?:(?:true|false)\0)?{_FILE}\0")},
    options=_Options(
        flags=frozenset(
            (
                *("-e", "--erase", "-w", "--write", "-v", "--verify", "-i", "--info"),
                *("-d", "--debug", "-R", "--reset", "-a", "--arduino-erase"),
            )
        ),
        values=_each(
            {
                ("-p", "--port"): _pattern(rf"{_PORT}|tty[A-Za-z0-9]+|cu\.[A-Za-z0-9._-]+"),
                ("-o", "--offset"): _ADDRESS,
            }
        ),
        maybe=_each(
            {
                ("-b", "--boot", "-c", "--bod", "-t", "--bor"): _pattern("[01]"),
                ("-U", "--usb-port", "--force_usb_port"): _pattern("[01]|true|false"),
                ("-l", "--lock", "-u", "--unlock"): _REGIONS,
            }
        ),
        clusters=True,
    ),
)
_LOADED = _pattern(rf"(?:{_FILE}(?:@{_AT})?\0)+")
_PYOCD = _Tool(
    commands={"flash": _LOADED, "load": _LOADED},
    options=_Options(),
    after=_Options(
        flags=frozenset(
            (
                *("-v", "--verbose", "-q", "--quiet", "-W", "--no-wait", "--no-config"),
                *("--trust-crc", "--no-reset"),
            )
        ),
        values=_each(
            {
                ("-t", "--target"): _pattern(_NAME),
                # Not `remote:host`: a probe that another machine serves.
                ("-u", "--uid", "--probe"): _pattern("[0-9A-Za-z]+"),
                ("-f", "--frequency"): _pattern("[0-9]+(?:[.][0-9]+)?[kKmM]?(?:[hH][zZ])?"),
                ("-M", "--connect"): _pattern("halt|pre-reset|under-reset|attach"),
                ("-e", "--erase"): _pattern("auto|chip|sector"),
                ("-a", "--base-address"): _ADDRESS,
                ("--format",): _pattern("bin|hex|elf"),
                ("--skip",): _SIZE,
                ("-O",): _pattern(
                    "(?:frequency|connect_mode|reset_type|chip_erase|smart_flash|fast_program"
                    r"|keep_unwritten|resume_on_disconnect|auto_unlock)=[a-z0-9_.-]+"
                ),
            }
        ),
    ),
)
# A script of OpenOCD's own. Any other path is a program that may lie in the current folder, which
# OpenOCD looks through first; a project has no such folders.
OPENOCD_SCRIPT = r"(?:interface|target|board)(?:/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)+\.cfg"
# The upload values that are such scripts.
OPENOCD_SCRIPTS = ("openocd_interface", "openocd_target", "openocd_board")
# OpenOCD's commands are Tcl: no brackets, no `$`, no other braces than those of a name or a file,
# which format() takes away once.
_TCL_FILE = rf"(?:{_FILE}|\{{\{{{_FILE}\}}\}})"
_TCL = (
    rf"transport select {_NAME}"
    r"|adapter speed [0-9]+|adapter_khz [0-9]+|adapter srst (?:delay|pulse_width) [0-9]+"
    r"|reset_config(?: [a-z_]+)+"
    rf"|set (?:WORKAREASIZE|CHIPNAME|FLASH_SIZE|CPUTAPID) \w+"
    r"|init|halt|exit|shutdown|targets|reset(?: (?:run|halt|init))?"
    rf"|program {_TCL_FILE}(?: {_AT})?(?: (?:preverify|verify|reset|exit))*"
    rf"|flash write_image(?: erase)?(?: unlock)? {_TCL_FILE}(?: {_AT})?(?: (?:bin|ihex|elf))?"
    rf"|(?:flash )?verify_image {_TCL_FILE}(?: {_AT})?(?: (?:bin|ihex|elf))?"
    r"|(?:gdb|tcl|telnet)[_ ]port disabled"
)
_OPENOCD = _Tool(
    commands={"": _NOTHING},
    options=_Options(
        values=_each(
            {
                # Scripts of OpenOCD's own, which lie in these folders.
                ("-f", "--file"): _pattern(
                    rf"{OPENOCD_SCRIPT}|\{{(?:{'|'.join(OPENOCD_SCRIPTS)})\}}"
                ),
                ("-c", "--command"): _pattern(rf"(?:{_TCL})(?:; ?(?:{_TCL}))*;?"),
            }
        ),
        maybe=_each({("-d", "--debug"): _pattern("[0-3]")}),
    ),
)
TOOLS: Mapping[str, _Tool] = MappingProxyType(
    {
        "esptool": _ESPTOOL,
        "esptool.py": _ESPTOOL,
        "dfu-util": _DFU_UTIL,
        "st-flash": _ST_FLASH,
        "nrfjprog": _NRFJPROG,
        "bossac": _BOSSAC,
        "pyocd": _PYOCD,
        "openocd": _OPENOCD,
    }
)


def unusual_words(command: Sequence[str]) -> str | None:
    """Return the words of an upload command that could do more than write to the board.

    None where there are none. The program of `command` is one of `TOOLS`.
    """
    tool, words = TOOLS[command[0]], list(command[1:])
    options, name = tool.options, ""
    if "" not in tool.commands:
        while words and (taken := options.taken(words)):
            del words[:taken]
        if not words or words[0] not in tool.commands:
            return _option(words) if words else command[-1]
        name = words.pop(0)
        options = tool.after
    others: list[str] = []
    while words:
        taken = options.taken(words)
        if not taken and words[0].startswith("-"):
            return _option(words)
        if not taken:
            others.append(words[0])
        del words[: taken or 1]
    if not tool.commands[name].fullmatch("".join(f"{word}\0" for word in others)):
        return " ".join(others) or command[-1]
    return None


def _option(words: Sequence[str]) -> str:
    """Return the first word, and the second one where that may be its value."""
    if not words[0].startswith("-") or "=" in words[0]:
        return words[0]
    return " ".join((words[0], *(word for word in words[1:2] if not word.startswith("-"))))
