"""A .rune and a board become a PlatformIO project, and the project a firmware."""

from runec.firmware.budget import BudgetError
from runec.firmware.build import FirmwareBuild, build_project, known_protocol, upload_command
from runec.firmware.costs import StageCost
from runec.firmware.layout import Layout, StageError
from runec.firmware.project import Project, create_project, is_project, load_project
from runec.firmware.refusals import is_board_refusal, is_device_refusal
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
    "StageCost",
    "StageError",
    "build_project",
    "choose_accelerometer",
    "create_project",
    "is_board_refusal",
    "is_device_refusal",
    "is_project",
    "known_protocol",
    "load_project",
    "measure_parts",
    "upload_command",
]
