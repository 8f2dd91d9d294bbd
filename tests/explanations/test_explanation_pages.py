"""Pages match codes; tests/frontend tests their examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runec.diagnostics import UsageError
from runec.explanations import Page, all_pages, explain

PROJECT = Path(__file__).resolve().parent.parent.parent
PAGES = list(all_pages())


def codes_of_the_source() -> set[str]:
    """Every code that a string of the source is, those in docstrings not counted."""
    return {
        code
        for folder in ("runec", "tools")
        for path in (PROJECT / folder).rglob("*.py")
        for code in re.findall(r"""["'](R\d{4})["']""", path.read_text(encoding="utf-8"))
    }


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.code for page in PAGES} == codes_of_the_source()


def test_the_pages_come_in_the_order_of_their_codes() -> None:
    codes = [page.code for page in PAGES]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)
def test_a_page_is_whole(page: Page) -> None:
    assert page.title[0].islower() or page.title.startswith(("YAML", "Rust"))
    assert not page.title.endswith(".")
    assert len(page.title) <= 80
    assert page.cause.endswith(".")
    assert len(page.cause) > 50
    assert len(page.fix) > 10
    assert (page.wrong is None) == (page.right is None)
    assert page.wrong is None or page.wrong != page.right
    assert (page.legacy_wrong is None) == (page.legacy_right is None)
    assert page.legacy_wrong is None or page.wrong is not None


@pytest.mark.parametrize("spelling", ["R0012", "r0012", "0012", " R0012 "])
def test_a_page_is_found_by_its_code(spelling: str) -> None:
    page = explain(spelling)
    assert page.code == "R0012"
    assert page.as_json()["title"] == "a path that can't be read"


@pytest.mark.parametrize("code", ["R9999", "R0099", "", "R12", "R00123", "../R00", "R0012\n\n1"])
def test_no_page_is_an_error_of_usage(code: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(code)
    assert caught.value.code == "R1110"
