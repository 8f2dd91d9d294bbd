"""The examples of `runec explain`: the wrong one has the mistake, the right one has none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runec.diagnostics import Diagnostic, Severity
from runec.explanations import Page, all_pages
from runec.frontend import dialect_of

PAGES = [page for page in all_pages() if page.code < "R0500"]
WITH_EXAMPLES = [page for page in PAGES if page.wrong is not None]
WRONG = [(page.code, text) for page in PAGES for text in (page.wrong, page.legacy_wrong) if text]
RIGHT = [(page.code, text) for page in PAGES for text in (page.right, page.legacy_right) if text]
# Mistakes that YAML does not have.
LEGACY_ONLY = {"R0001", "R0010", "R0011", "R0016", "R0017", "R0018", "R0201"}
# Their mistake is not in the Runefile's text but in the bytes of a file, or no Runefile has it.
WITHOUT = {
    *("R0002", "R0021", "R0022", "R0311", "R0312", "R0313", "R0314", "R0315", "R0316", "R0317"),
    *("R0320", "R0321", "R0322", "R0324", "R0325", "R0416", "R0430", "R0432"),
}

Diagnose = Callable[..., tuple[Diagnostic, ...]]


def test_every_code_of_a_runefile_has_examples() -> None:
    assert {page.code for page in PAGES if page.wrong is None} == WITHOUT


@pytest.mark.parametrize(("code", "text"), WRONG)
def test_the_wrong_example_gives_exactly_its_code(code: str, text: str, diagnose: Diagnose) -> None:
    assert {diagnostic.code for diagnostic in diagnose(text, "Runefile")} == {code}


@pytest.mark.parametrize(("code", "text"), RIGHT)
def test_the_right_example_is_right(code: str, text: str, diagnose: Diagnose) -> None:
    assert [str(diagnostic) for diagnostic in diagnose(text, "Runefile")] == [], code


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.code)
def test_the_page_calls_a_warning_a_warning(page: Page, diagnose: Diagnose) -> None:
    assert page.wrong is not None
    warns = any(
        item.severity is Severity.WARNING
        for item in diagnose(page.wrong, "Runefile")
        if item.code == page.code
    )
    assert page.title.endswith("(warning)") == warns


def test_yaml_comes_first() -> None:
    dialects = {page.code: dialect_of(page.right or "", "Runefile") for page in WITH_EXAMPLES}
    assert {code for code, dialect in dialects.items() if dialect == "legacy"} == LEGACY_ONLY


def test_the_second_examples_are_of_the_legacy_dialect() -> None:
    second = [page for page in WITH_EXAMPLES if page.legacy_wrong is not None]
    assert len(second) >= 8
    for page in second:
        for text in (page.legacy_wrong, page.legacy_right):
            assert text is not None
            assert dialect_of(text, "Runefile") == "legacy"
