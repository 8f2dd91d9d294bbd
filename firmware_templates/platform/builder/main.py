# SPDX-License-Identifier: Apache-2.0
"""Builds a runec firmware: compiles what build_plan.json lists, links, makes flash images.

The plan is explicit, so PlatformIO's library finder is not needed, and all paths in commands are
relative to the project, so that objects can be shared between projects (RUNEC_OBJECT_CACHE).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()


def compiler_cxx_headers(compiler: str) -> list[str]:
    """Return the C++ header folders of another compiler, in its order."""
    try:
        done = subprocess.run(
            [compiler, "-E", "-x", "c++", "-v", os.devnull],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        sys.stderr.write(f"runec: {compiler}, whose C++ headers are needed, does not run\n")
        env.Exit(1)
    lines = [line.strip() for line in done.stderr.splitlines()]
    first = lines.index("#include <...> search starts here:") + 1
    folders = lines[first : lines.index("End of search list.")]
    # Not Path: the folders come as .../arm-none-eabi/../../include, and links must not be followed.
    found = [os.path.normpath(folder) for folder in folders]
    return [folder for folder in found if "c++" in Path(folder).parts]


plan = json.loads(Path(env.subst("$PROJECT_DIR"), "build_plan.json").read_text(encoding="utf-8"))

prefix = plan["prefix"]
env.Replace(
    AR=prefix + "ar",
    AS=prefix + "gcc",
    CC=prefix + "gcc",
    CXX=prefix + "g++",
    LINK=prefix + "gcc",
    OBJCOPY=prefix + "objcopy",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    ASFLAGS=[],
    ASPPFLAGS=[],
    CCFLAGS=[],
    CFLAGS=[],
    CXXFLAGS=[],
    LINKFLAGS=plan["link_flags"],
    LIBS=["m"],
    LIBPATH=[],
)

object_cache = os.environ.get("RUNEC_OBJECT_CACHE")
if object_cache:
    env.CacheDir(object_cache)

headers = []
if plan["cxx_headers_from"]:
    for header_folder in compiler_cxx_headers(plan["cxx_headers_from"]):
        headers += ["-isystem", header_folder]

objects = []
for group in plan["groups"]:
    group_env = env.Clone()
    group_env.Append(
        CPPPATH=["#/" + folder for folder in group["include"]],
        CCFLAGS=plan["flags"] + group["flags"],
        ASPPFLAGS=plan["flags"] + group["flags"],
        CFLAGS=plan["c_flags"],
        CXXFLAGS=plan["cxx_flags"] + headers,
    )
    for source in group["sources"]:
        built = group_env.StaticObject(f"$BUILD_DIR/{source}.o", "#/" + source)
        if not group["shared"]:
            env.NoCache(built)
        for needed in group["depends"]:
            env.Depends(built, "#/" + needed)
        objects += built

program = env.Program(env.subst("$PROGPATH"), objects)
env.Depends(program, "#/" + plan["linker_script"])
env.NoCache(program)


def image(name: str, sections: list[str]) -> Any:
    """Make a raw flash image of some sections."""
    chosen = " ".join(f"-j {section}" for section in sections)
    made = env.Command(
        f"$BUILD_DIR/{name}.bin",
        program,
        env.VerboseAction(f'$OBJCOPY -O binary {chosen} "$SOURCE" "$TARGET"', "Making $TARGET"),
    )
    env.NoCache(made)
    return made


images = {name: image(name, sections) for name, sections in sorted(plan["images"].items())}


def esp_app(target: Any, source: Any, env: Any) -> None:  # noqa: ARG001 - SCons calls it so
    """Put raw images together to an application image, as ESP-IDF's loader reads it.

    Both parts are mapped from flash in pages of 64 KiB, so each must stand in the file where its
    address says, modulo a page; the application starts at a page. See "App Image Format" in
    ESP-IDF's programming guide.
    """
    entry = struct.unpack_from("<I", Path(str(source[0])).read_bytes(), 24)[0]
    parts = zip(plan["esp_app"]["segments"].values(), source[1:], strict=True)
    segments: list[tuple[int, bytes]] = []
    at = 24
    for address, part in parts:
        data = Path(str(part)).read_bytes()
        data += bytes(-len(data) % 4)
        gap = (address - (at + 8)) % 65536
        if gap:
            # A segment for address 0 is passed over by the loader.
            gap = gap - 8 if gap >= 8 else gap + 65536 - 8
            segments.append((0, bytes(gap)))
            at += 8 + gap
        segments.append((address, data))
        at += 8 + len(data)
    # Flash: DIO, 40 MHz, 4 MB. Any revision of the chip; a SHA-256 follows.
    chip = plan["esp_app"]["chip"]
    image = struct.pack("<4BI", 0xE9, len(segments), 2, 0x20, entry)
    image += struct.pack("<4BHBHH4xB", 0xEE, 0, 0, 0, chip, 0, 0, 0xFFFF, 1)
    checksum = 0xEF
    for address, data in segments:
        image += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes((checksum,))
    Path(str(target[0])).write_bytes(image + hashlib.sha256(image).digest())


if plan["esp_app"]:
    parts = [images[name] for name in plan["esp_app"]["segments"]]
    images["app"] = env.Command(
        "$BUILD_DIR/app.bin", [program, *parts], env.VerboseAction(esp_app, "Making $TARGET")
    )
    env.NoCache(images["app"])

Default([program, *images.values()])


def upload_way() -> dict[str, Any] | None:
    """Return the way onto the board: RUNEC_UPLOAD_PROTOCOL's, platformio.ini's or the board's."""
    protocol = os.environ.get("RUNEC_UPLOAD_PROTOCOL") or env.GetProjectOption(
        "upload_protocol", plan["upload_protocol"]
    )
    if protocol not in plan["uploads"]:
        known = ", ".join(plan["uploads"]) or "none"
        sys.stderr.write(f"runec: no upload protocol {protocol!r} for this board; known: {known}\n")
        return None
    return dict(plan["uploads"][protocol])


def tool_name(name: str) -> str:
    """Return what a tool is called here: up to version 4 esptool was esptool.py."""
    has_older_name = name == "esptool" and shutil.which(name) is None
    return f"{name}.py" if has_older_name and shutil.which(f"{name}.py") else name


def upload(target: Any, source: Any, env: Any) -> int:  # noqa: ARG001 - SCons calls it so
    """Run the board's upload command."""
    way = upload_way()
    if way is None:
        return 1
    # Relative to the project, where PlatformIO works: the words of OpenOCD are Tcl and those of
    # J-Link a script, and the name of the user's folder is neither.
    paths = {"elf": "$PROGPATH", "script": "$BUILD_DIR/upload.script"}
    paths |= {name: f"$BUILD_DIR/{name}.bin" for name in images}
    values = {
        **plan["upload_values"],
        "port": env.subst("$UPLOAD_PORT"),
        **{name: os.path.relpath(env.subst(path)) for name, path in paths.items()},
    }
    if way["needs_port"] and not values["port"]:
        sys.stderr.write("runec: this board needs --upload-port\n")
        return 1
    if way["script"]:
        lines = "".join(line.format(**values) + "\n" for line in way["script"])
        Path(values["script"]).write_text(lines, encoding="utf-8")
    command = [part.format(**values) for part in way["command"]]
    command[0] = tool_name(command[0])
    sys.stdout.write(" ".join(command) + "\n")
    sys.stdout.flush()
    try:
        return subprocess.run(command, check=False).returncode
    except OSError as error:
        sys.stderr.write(
            f"runec: cannot start {command[0]} ({error.strerror}): install {way['package']}\n"
        )
        return 1


AlwaysBuild(
    env.Alias("upload", [program, *images.values()], env.VerboseAction(upload, "Uploading"))
)
