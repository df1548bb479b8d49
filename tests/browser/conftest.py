"""The system's Chromium, driven by Playwright: one browser for all tests of this room; without it they skip."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless browser; a test opens its own page or context in it, and closes it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make browser-test installs it")
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        pytest.skip("needs Chromium: make browser-test, or apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable)
        yield browser
        browser.close()
