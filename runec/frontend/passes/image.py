"""The base image: there is one."""

from __future__ import annotations

from runec.diagnostics import Diagnostics
from runec.frontend.ast import Document

BASE_IMAGE = "runicos/base"


def check_image(document: Document, diagnostics: Diagnostics) -> None:
    """Warn of a base image other than `runicos/base`; a version of it is accepted."""
    image = document.image
    if image is not None and (image.base != BASE_IMAGE or image.sub_path is not None):
        diagnostics.warning(
            "R0110",
            f'Unknown base image "{image.text}": runec uses {BASE_IMAGE}',
            image.span,
            hint=f"use {BASE_IMAGE}",
        )
