"""Upload commands that need no trust: their spellings, and what other parsers read in them."""

from __future__ import annotations

import argparse
import getopt
import itertools
import re
import shlex
import string
from collections.abc import Callable, Iterator

import pytest

from runec.boards.upload_words import unusual_words

# Each was given to the tool itself: st-flash 1.7, esptool 4.7, 4.11 and 5.6, dfu-util 0.11,
# bossac 1.9.1, pyocd 0.39, OpenOCD 0.12.
ORDINARY = """
st-flash --format ihex write {elf}
st-flash --format=ihex --serial=066CFF write {elf}
st-flash --reset --format binary write {image} {code_origin}
st-flash --serial 066CFF --freq=4000K --opt --mass-erase --area=main write {image} 0x8000000
st-flash --flash=128k --hot-plug --debug erase
st-flash --freq 4M --connect-under-reset reset
esptool --chip=esp32 --port={port} --baud=921600 write_flash 0x10000 {app}
esptool -cesp32 -p{port} -b921600 -a hard_reset write_flash -z 0x10000 {app} --flash_mode=dio
esptool --trace --connect-attempts=3 --before=no_reset write_flash -fm=dio -ff 40m 0x0 {image}
esptool -p /dev/serial/by-id/usb-Espressif_1-if00 write-flash --flash-size=detect -e 0 {app}
esptool.py --after=no_reset write_flash 0x0 {image} --verify -fs 4MB 0x200000 {constants}
dfu-util -a0 -D{image}
dfu-util -a0 -s0x08000000:leave -D{image}
dfu-util -a "@Internal Flash  /0x08000000/04*016Kg" -s :leave -D {image}
dfu-util --alt=0 --dfuse-address=0x08000000:leave --download={image} --device=0483:df11
dfu-util -d 0483:df11,0483:df12 -wRva0 -D {image} -E 5 -S 123,456 -p 1-1.2 -c1 -i0 -t2048
dfu-util -d , -n 3 -D {image}
bossac --boot=1 -e -w -v {image}
bossac -ewvR -p{port} -b1 {image}
bossac -ewp ttyACM0 {image}
bossac -U true -i -d --port=ttyACM0 -w {image} -R
bossac --write --erase --offset 0x2000 -b --usb-port=1 -u --lock=0,1 {image}
bossac {image} -o0x2000 -U1 -w --bod=0 -t1
pyocd flash --target={pyocd_target} --format=elf {elf}
pyocd load -tstm32f401retx -f 4M -M under-reset -e chip -a 0x8000000 -Oreset_type=hw {image}
pyocd flash -v -q -W --no-config -u 066CFF --trust-crc {image}@0x8000000
nrfjprog --program {image} --family NRF52 --sectorerase --verify --reset
openocd -f interface/cmsis-dap.cfg -f target/rp2040.cfg -c "program {elf} verify reset exit"
openocd -f board/st_nucleo_f4.cfg -c "program {{{elf}}} verify" -c "reset run; exit"
openocd -finterface/stlink.cfg -d0 -c "adapter speed 4000; transport select hla_swd" -f target/stm32f4x.cfg -c init -c "reset halt" -c "flash write_image erase {image} {code_origin} bin" -c shutdown
openocd --file={openocd_interface} --file {openocd_target} -c "tcl_port disabled" --command="program {image} 0x08000000 verify reset exit"
"""  # noqa: E501 - a command a line


@pytest.mark.parametrize("line", ORDINARY.strip().splitlines())
def test_ordinary_spellings(line: str) -> None:
    assert unusual_words(shlex.split(line)) is None


UNUSUAL = {
    "st-flash --format elf write {elf}": "--format elf",
    "st-flash --flash=ihex write {elf}": "--flash=ihex",
    "st-flash read out.bin 0x8000000 4096": "read",
    "st-flash --area=option write 0x1": "--area=option",
    "st-flash --area option write {image}": "--area option",
    "st-flash write --reset {image} 0x8000000": "--reset {image}",
    "st-flash write notes 0x8000000": "notes 0x8000000",
    "st-flash write {image} write {image}": "{image} write {image}",
    "esptool --chip=esp32": "--chip=esp32",
    "esptool --port=socket://evil:1 write_flash 0 {app}": "--port=socket://evil:1",
    "esptool -prfc2217://evil:1 write_flash 0 {app}": "-prfc2217://evil:1 write_flash",
    "esptool --port ttyACM0 write_flash 0 {app}": "--port ttyACM0",
    "esptool --port /dev/serial/by-id/../../sda write_flash 0 {app}": (
        "--port /dev/serial/by-id/../../sda"
    ),
    "esptool @options write_flash 0 {app}": "@options",
    "esptool write_flash 0 {app} @options": "0 {app} @options",
    "esptool write_flash --encrypt 0 {app}": "--encrypt 0",
    "esptool write_flash --diff-with=notes 0 {app}": "--diff-with=notes",
    "esptool write_flash 0 {app} read_flash": "0 {app} read_flash",
    "esptool write_flash --chip esp32 0 {app}": "--chip esp32",
    "dfu-util -a0 -UMakefile": "-UMakefile",
    "dfu-util -wUMakefile -D{image}": "-wUMakefile",
    "dfu-util -eRU Makefile -D{image}": "-eRU Makefile",
    "dfu-util --upload=Makefile": "--upload=Makefile",
    "dfu-util -a -U -D {image}": "-a",
    "dfu-util -D- -a0": "-D-",
    "dfu-util -Dnotes": "-Dnotes",
    "dfu-util -s 0x08000000:unprotect:force -D {image}": "-s 0x08000000:unprotect:force",
    "dfu-util -D {image} notes": "notes",
    "dfu-util -D {image} -- -U": "--",
    "dfu-util -": "-",
    "bossac -r {image}": "-r {image}",
    "bossac -wr {image}": "-wr {image}",
    "bossac -wr4 {image}": "-wr4 {image}",
    "bossac -s -w {image}": "-s",
    "bossac -bR -w {image}": "-bR",
    "bossac -w {image} {elf}": "{image} {elf}",
    "bossac -w": "-w",
    "bossac -p ../x -w {image}": "-p ../x",
    "pyocd flash --script=evil.py {elf}": "--script=evil.py",
    "pyocd flash --pack evil.pack {elf}": "--pack evil.pack",
    "pyocd flash -j .. {elf}": "-j ..",
    "pyocd flash -u remote:evil {elf}": "-u remote:evil",
    "pyocd flash -Ouser_script=evil.py {elf}": "-Ouser_script=evil.py",
    "pyocd flash -O pack=evil.pack {elf}": "-O pack=evil.pack",
    "pyocd commander -c exit": "commander",
    "pyocd flash notes": "notes",
    "nrfjprog --jdll=evil": "--jdll=evil",
    "nrfjprog --program {image} -sevil": "-sevil",
    "openocd -f evil.cfg -c init": "-f evil.cfg",
    "openocd -f ../evil.cfg": "-f ../evil.cfg",
    "openocd -f interface/../../evil.cfg": "-f interface/../../evil.cfg",
    "openocd -f {image}": "-f {image}",
    "openocd -f {pyocd_target}": "-f {pyocd_target}",
    "openocd -f target/x.tcl": "-f target/x.tcl",
    "openocd -s . -f target/x.cfg": "-s .",
    "openocd -l log -f target/x.cfg": "-l log",
    "openocd -c 'exec id'": "-c exec id",
    "openocd -c 'init; exec id'": "-c init; exec id",
    "openocd -c 'init [exec id]'": "-c init [exec id]",
    "openocd -c 'reset_config [exec]'": "-c reset_config [exec]",
    "openocd -c 'program notes verify'": "-c program notes verify",
    "openocd -c 'program {elf} verify $x'": "-c program {elf} verify $x",
    "openocd -c 'set CHIPNAME [exec id]'": "-c set CHIPNAME [exec id]",
    "openocd -c 'dump_image Makefile 0 4'": "-c dump_image Makefile 0 4",
    "openocd -c 'tcl_port 6666'": "-c tcl_port 6666",
    "openocd -c 'init\nexec id'": "-c init\nexec id",
    "openocd init": "init",
}


@pytest.mark.parametrize(("line", "words"), UNUSUAL.items())
def test_what_needs_trust_is_named(line: str, words: str) -> None:
    assert unusual_words(shlex.split(line)) == words


# What follows reads the same words with other parsers, which have every option of the tools.
LETTERS = {
    "dfu-util": "hVvleE:d:p:c:i:a:S:t:U:D:Rs:Z:wn:",
    # The optional values of -b and its like are read as letters, and no letter is a digit.
    "bossac": "ewrvo:p:bctlusidURahV",
}
NAMES = {
    "dfu-util": "help version verbose list detach detach-delay= device= path= cfg= intf= alt= "
    "serial= transfer-size= upload= download= reset dfuse-address= upload-size= wait devnum=",
    "bossac": "erase write read verify offset= port= boot bod bor lock unlock security info debug "
    "usb-port reset arduino-erase help version",
}
HARMFUL = {"-U", "--upload", "-r", "--read", "-s", "--security"}


def read_by_getopt(words: list[str]) -> tuple[set[str], list[str]]:
    """Return the options and the files that a tool of GNU getopt() would have."""
    tool = words[0]
    words = [re.sub("^(-[a-zR]*U)(true|false)$", r"\1", word) for word in words]
    options, rest = getopt.gnu_getopt(words[1:], LETTERS[tool], NAMES[tool].split())
    files = [value for name, value in options if name in ("-D", "--download")]
    harmful = HARMFUL - ({"-s"} if tool == "dfu-util" else {"-U"})
    return {name for name, _ in options} & harmful, files + rest


def parser_of(tool: str) -> argparse.ArgumentParser:
    """Return a parser with the tool's options; `harmful` collects what must not be there."""
    parser = argparse.ArgumentParser(exit_on_error=False, fromfile_prefix_chars=None)
    commands = parser.add_subparsers(dest="command", required=True)
    if tool == "esptool":
        for names in ("--chip -c", "--port -p", "--baud -b", "--before", "--after -a"):
            parser.add_argument(*names.split())
        parser.add_argument("--connect-attempts")
        parser.add_argument("--trace", "-t", action="store_true")
        parser.add_argument("--no-stub", action="store_true")
        parser.add_argument("--port-filter", dest="harmful")
        parser.add_argument("--override-vddsdio", dest="harmful")
        write = commands.add_parser("write_flash", exit_on_error=False)
        for names in ("--flash_freq -ff", "--flash_mode -fm", "--flash_size -fs"):
            write.add_argument(*names.split())
        for names in ("-e --erase-all", "-p --no-progress", "--verify", "-z --compress", "-u"):
            write.add_argument(*names.split(), action="store_true")
        for names in ("--encrypt-files", "-sc --spi-connection", "--diff-with"):
            write.add_argument(*names.split(), dest="harmful")
        write.add_argument("--encrypt", action="store_true", dest="harmful")
        commands.add_parser("read_flash", exit_on_error=False).set_defaults(harmful=True)
    else:
        write = commands.add_parser("flash", aliases=["load"], exit_on_error=False)
        for names in ("-t --target", "-f --frequency", "-M --connect", "-e --erase", "--format"):
            write.add_argument(*names.split())
        write.add_argument("-a", "--base-address")
        write.add_argument("-u", "--uid", "--probe")
        write.add_argument("-O", dest="options", action="append")
        for names in ("-v --verbose", "-q --quiet", "-W --no-wait", "--no-reset", "--trust-crc"):
            write.add_argument(*names.split(), action="store_true")
        for names in ("-j --project --dir", "--config", "--script", "--pack", "-L --log-level"):
            write.add_argument(*names.split(), dest="harmful")
    write.add_argument("files", nargs="*")
    parser.set_defaults(harmful=None)
    return parser


def read_by_argparse(words: list[str]) -> tuple[set[str], list[str]]:
    found = parser_of(words[0]).parse_args(words[1:])
    files = found.files[1::2] if words[0] == "esptool" else found.files
    options = getattr(found, "options", None) or []
    harmful = {option for option in options if re.match("pack|user_script|config", option)}
    return harmful | ({str(found.harmful)} if found.harmful else set()), files


READERS: dict[str, Callable[[list[str]], tuple[set[str], list[str]]]] = {
    "dfu-util": read_by_getopt,
    "bossac": read_by_getopt,
    "esptool": read_by_argparse,
    "pyocd": read_by_argparse,
}
FILES = {"{elf}", "{image}", "{app}", "{constants}", "true", "false"}
BASES = {
    "dfu-util": ["dfu-util", "-a", "0", "-D", "{image}"],
    "bossac": ["bossac", "-e", "-w", "{image}"],
    "esptool": ["esptool", "--chip", "esp32", "write_flash", "0x0", "{app}"],
    "pyocd": ["pyocd", "flash", "--format", "elf", "{elf}"],
}
VALUES = ("{image}", "notes", "0", "true", "pack=x", "-e", "{image}x")
OPTIONS = [f"-{letter}" for letter in string.ascii_letters + string.digits]
OPTIONS += [f"--{name.rstrip('=')}" for names in NAMES.values() for name in names.split()]
OPTIONS += ["--chip", "--port", "--flash_mode", "--encrypt", "--encrypt-files", "--diff-with"]
OPTIONS += ["-fs", "-fm", "-sc", "--target", "--script", "--pack", "--", "-", "---", "-e-", "-we"]


def insertions(option: str) -> Iterator[list[str]]:
    """Yield an option in every shape, with every value."""
    for before in ("", "e", "wv"):
        word = option if not before else f"-{before}{option[1:]}"
        yield [word]
        for value in VALUES:
            yield from ([word, value], [word + value], [f"{word}={value}"])


@pytest.mark.parametrize("tool", BASES)
def test_what_is_accepted_is_harmless_to_the_tools_own_kind_of_parser(tool: str) -> None:
    accepted = 0
    for option, at in itertools.product(OPTIONS, range(1, len(BASES[tool]) + 1)):
        for words in insertions(option):
            line = [*BASES[tool][:at], *words, *BASES[tool][at:]]
            if unusual_words(line) is not None:
                continue
            accepted += 1
            try:
                harmful, files = READERS[tool](line)
            except (getopt.GetoptError, argparse.ArgumentError, SystemExit):
                continue  # the tool would stop at it
            assert not harmful, line
            assert {*files} <= FILES, line
    assert accepted > 40


def test_the_readers_accept_the_ordinary_spellings() -> None:
    read = 0
    for line in ORDINARY.strip().splitlines():
        words = shlex.split(line)
        if words[0] in READERS and not re.search(
            r" -[bctU]1| -[lu]|=[01]|-a hard|write-f|@0x", line
        ):
            assert not READERS[words[0]](words)[0], line
            read += 1
    assert read >= 10
