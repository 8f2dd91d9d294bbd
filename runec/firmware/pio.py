"""Running PlatformIO without its registry, telemetry and update checks, away from the user's own.

PlatformIO's core folder is one of ours in the cache. It holds a `tool-scons` that is a few lines
of Python around the SCons that was installed with runec; see docs/adr/0003.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path

import runec
from runec.cache import ANOTHER_CACHE, cache_dir
from runec.diagnostics import MachineError
from runec.files import write_file
from runec.tools import find_tool

_SCONS_VERSION_IN_PLATFORMIO = "4.41101.0"
_PACKAGES_ASKED = re.compile(r"^platform_packages\s*=", re.MULTILINE)
_SCONS_PROGRAM = '''\
"""PlatformIO starts this as its tool-scons; SCons itself comes from this Python's packages."""

from SCons.Script import main

main()
'''


def _scons_version() -> str:
    """Return the version of tool-scons that the installed PlatformIO asks for."""
    try:
        dependencies = importlib.import_module("platformio.dependencies")
    except ImportError:
        return _SCONS_VERSION_IN_PLATFORMIO
    return str(dependencies.get_core_dependencies()["tool-scons"]).lstrip("~^=")


def core_dir() -> Path:
    """Return the core folder of the user's own PlatformIO, where vendors' platforms live."""
    # Not Path.home(), which raises for a user without one.
    home = os.path.expanduser("~/.platformio")  # noqa: PTH111
    return Path(os.environ.get("PLATFORMIO_CORE_DIR") or home)


def prepare_core_dir() -> Path:
    """Return PlatformIO's core folder in the cache, made ready if it was not.

    Raises:
        MachineError: R1001, R1002, it cannot be written.
    """
    core = cache_dir() / "platformio"
    package = core / "packages" / "tool-scons"
    stamp = package / ".runec"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == _stamp():
        if not os.access(core, os.W_OK):
            raise MachineError(
                "R1002",
                f"cannot write below {core}, which PlatformIO needs for its state",
                hint=ANOTHER_CACHE,
            )
        return core
    version = _scons_version()
    about = {"name": "tool-scons", "version": version, "description": "SCons of this Python"}
    owner = {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None}
    installed = {"type": "tool", "name": "tool-scons", "version": version, "spec": owner}
    files = {
        package / "package.json": json.dumps(about),
        package / ".piopm": json.dumps(installed),
        package / "scons.py": _SCONS_PROGRAM,
        stamp: _stamp(),
    }
    for path, text in files.items():
        write_file(path, text, only_if_changed=True, elsewhere=ANOTHER_CACHE)
    return core


def _stamp() -> str:
    # Another Python or runec may have another PlatformIO.
    return f"{sys.prefix}\n{runec.__version__}\n"


def asks_for_packages(project: Path) -> bool:
    """Return whether a project's platformio.ini has PlatformIO bring packages, as a compiler."""
    try:
        text = (project / "platformio.ini").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False  # PlatformIO says what is wrong with it
    return _PACKAGES_ASKED.search(text) is not None


def installed_package(core: Path, package: str) -> Path | None:
    """Return the folder in PlatformIO's core folder that holds a package, OWNER/NAME@VERSION.

    PlatformIO itself looks whether the version is right.
    """
    name = package.rpartition("/")[2].partition("@")[0]
    if not name:
        return None
    found = sorted((core / "packages").glob(f"{name}*/package.json"))
    named = (path.parent for path in found if path.parent.name.partition("@")[0] == name)
    return next(named, None)


def pio_program() -> Path:
    """Return the path of PlatformIO.

    Raises:
        MachineError: R1004, it is not installed.
    """
    return find_tool("pio", hint="pip install platformio (it comes with runec)")


def objects_dir() -> Path:
    """Return the folder in which SCons keeps objects for the next project.

    Raises:
        MachineError: R1002, there is no cache.
    """
    return cache_dir() / "objects"


def pio_environment() -> dict[str, str]:
    """Return what is added to the environment of PlatformIO.

    Raises:
        MachineError: R1001, R1002, the cache cannot be written.
    """
    return {
        "PLATFORMIO_CORE_DIR": str(prepare_core_dir()),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD": "0",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "RUNEC_OBJECT_CACHE": str(objects_dir()),
        "PYTHONDONTWRITEBYTECODE": "1",
        # It writes paths as UTF-8, whatever the locale makes of their bytes.
        "PYTHONUTF8": "1",
    }
