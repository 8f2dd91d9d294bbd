"""A .rune and a board become a PlatformIO project, and the project a firmware."""

from runec.firmware.build import FirmwareBuild, build_project, upload_command
from runec.firmware.layout import Layout
from runec.firmware.project import Project, create_project, load_project

__all__ = [
    "FirmwareBuild",
    "Layout",
    "Project",
    "build_project",
    "create_project",
    "load_project",
    "upload_command",
]
