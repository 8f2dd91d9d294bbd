"""A .rune and a board become a PlatformIO project, and the project a firmware."""

from runec.firmware.build import FirmwareBuild, build_project, known_protocol, upload_command
from runec.firmware.folder import is_project
from runec.firmware.layout import BudgetError, Layout, StageError
from runec.firmware.project import Project, create_project, load_project
from runec.firmware.render import BARE, FRAMEWORKS
from runec.firmware.sensing import Accelerometer, choose_accelerometer
from runec.firmware.size import PartSize, measure_parts

__all__ = [
    "BARE",
    "FRAMEWORKS",
    "Accelerometer",
    "BudgetError",
    "FirmwareBuild",
    "Layout",
    "PartSize",
    "Project",
    "StageError",
    "build_project",
    "choose_accelerometer",
    "create_project",
    "is_project",
    "known_protocol",
    "load_project",
    "measure_parts",
    "upload_command",
]
