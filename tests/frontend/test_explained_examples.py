"""The examples of `runec explain`: the wrong one has the mistake, the right one has none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runec.diagnostics import Diagnostic, Severity
from runec.explanations import Page, all_pages
from runec.frontend import dialect_of

PAGES = [page for page in all_pages() if page.code < "R0500"]
WITH_EXAMPLES = [page for page in PAGES if page.wrong is not None]
# Their mistake is not in the Runefile's text but in the bytes of a file, or no Runefile has it.
WITHOUT = {
    *("R0002", "R0021", "R0022", "R0311", "R0312", "R0313", "R0314", "R0416", "R0430", "R0432"),
    *("R0320", "R0321", "R0322", "R0323"),
}

Diagnose = Callable[..., tuple[Diagnostic, ...]]


def test_every_code_of_a_runefile_has_examples() -> None:
    assert {page.code for page in PAGES if page.wrong is None} == WITHOUT


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.code)
def test_the_wrong_example_gives_exactly_its_code(page: Page, diagnose: Diagnose) -> None:
    assert page.wrong is not None
    said = diagnose(page.wrong, "Runefile")
    assert {diagnostic.code for diagnostic in said} == {page.code}


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.code)
def test_the_right_example_is_right(page: Page, diagnose: Diagnose) -> None:
    assert page.right is not None
    assert [str(diagnostic) for diagnostic in diagnose(page.right, "Runefile")] == []


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.code)
def test_the_page_calls_a_warning_a_warning(page: Page, diagnose: Diagnose) -> None:
    assert page.wrong is not None
    warns = any(
        item.severity is Severity.WARNING
        for item in diagnose(page.wrong, "Runefile")
        if item.code == page.code
    )
    assert page.title.endswith("(warning)") == warns


def test_both_dialects_have_examples() -> None:
    dialects = {dialect_of(page.right or "", "Runefile") for page in WITH_EXAMPLES}
    assert dialects == {"legacy", "yaml"}
