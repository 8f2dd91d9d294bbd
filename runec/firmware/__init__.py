"""A .rune and a board become a PlatformIO project, and the project a firmware."""

from runec.firmware.board_sensors import Accelerometer, choose_accelerometer
from runec.firmware.build import FirmwareBuild, build_project, platform_to_fetch, vendor_missing
from runec.firmware.costs import StageCost
from runec.firmware.device_rune import DeviceRune, check_carried
from runec.firmware.elf import FlashSegment, flash_segments
from runec.firmware.memory_plan import MemoryPlan
from runec.firmware.pins import pin_number, pin_warnings
from runec.firmware.project import BACKENDS, Project, create_project, load_project
from runec.firmware.project_cache import cached_project, clear_projects, held_firmware
from runec.firmware.project_manifest import NoProjectError, is_project
from runec.firmware.refusals import BudgetError, StageError, UnfitDeviceError
from runec.firmware.render import ARDUINO, BARE, FRAMEWORKS
from runec.firmware.selftest_project import has_selftest, held_selftest, selftest_project
from runec.firmware.size import PartSize, measure_parts
from runec.firmware.uploading import (
    ToolCommand,
    known_protocol,
    tool_command,
    upload_command,
    upload_way,
)

__all__ = [
    "ARDUINO",
    "BACKENDS",
    "BARE",
    "FRAMEWORKS",
    "Accelerometer",
    "BudgetError",
    "DeviceRune",
    "FirmwareBuild",
    "FlashSegment",
    "MemoryPlan",
    "NoProjectError",
    "PartSize",
    "Project",
    "StageCost",
    "StageError",
    "ToolCommand",
    "UnfitDeviceError",
    "build_project",
    "cached_project",
    "check_carried",
    "choose_accelerometer",
    "clear_projects",
    "create_project",
    "flash_segments",
    "has_selftest",
    "held_firmware",
    "held_selftest",
    "is_project",
    "known_protocol",
    "load_project",
    "measure_parts",
    "pin_number",
    "pin_warnings",
    "platform_to_fetch",
    "selftest_project",
    "tool_command",
    "upload_command",
    "upload_way",
    "vendor_missing",
]
