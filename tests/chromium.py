"""The browser that tests drive: the Chromium that this machine has. None is ever downloaded."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
LEFT_OUT = "the pages are not tried in a browser: "
NO_BROWSER = LEFT_OUT + "no Chromium here. On Debian `apt-get install chromium`, elsewhere install Chrome or Chromium"
NO_DRIVER = LEFT_OUT + "no Playwright here. `pip install playwright`; it needs no browser of its own"


def chromium() -> str:
    """Its path; skips the test, and says how to get one, where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), MAC if Path(MAC).exists() else None)
    if found is None:
        pytest.skip(NO_BROWSER)
    return found


@contextmanager
def started() -> Generator[Any]:
    """A browser without windows."""
    playwright = pytest.importorskip("playwright.sync_api", reason=NO_DRIVER)
    path = chromium()
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox does not start as root, as which tests in a container run; they open only our pages.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Reader:
    """A reader with a window of their own, who remembers all that went wrong in it."""

    def __init__(self, browser: Any, pictures: Path, **window: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1200, "height": 850}} | window))
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        self.requests: list[str] = []
        self._pictures = pictures
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, told: Any) -> None:
        if told.type in ("error", "warning"):
            self.wrong.append(f"{told.text} {told.location}")

    def _error(self, error: Any) -> None:
        self.wrong.append(str(error))

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        self.requests.append(request.url)

    def enter(self, address: str) -> None:
        """Open the address that the dashboard printed, and wait for the list."""
        self.page.goto(address)
        self.page.wait_for_selector("table.list tbody tr")

    def open(self, name: str) -> None:
        """Click a name in the list, and wait for its page."""
        self.page.click(f"table.list a:text-is('{name}')")
        self.page.wait_for_function("name => document.querySelector('h1').textContent === name", arg=name)
        self.page.wait_for_selector(".chart")

    def back(self) -> None:
        self.page.click("main a[href='#/']")
        self.page.wait_for_selector("table.list tbody tr")

    def picture(self, name: str) -> None:
        """Keep a screenshot of the whole page among the test's artefacts."""
        self.page.screenshot(path=self._pictures / f"{name}.png", full_page=True)

    def fits(self) -> bool:
        """Whether the page is no wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    def foreign(self, own: str) -> list[str]:
        """The requests that went elsewhere."""
        return [url for url in self.requests if not url.startswith((own, "data:"))]
