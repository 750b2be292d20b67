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

OVERLAPS = """() => {
  const shown = [...document.querySelectorAll('#top *, main *')].filter(one => {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    const box = one.getBoundingClientRect();
    const apart = '.visually-hidden, .hidden, details:not([open]) > :not(summary), select, svg';
    return own && box.width > 1 && box.height > 1 && !one.closest(apart);
  });
  const boxes = shown.flatMap(one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const frame = one.closest('.scroll')?.getBoundingClientRect();  // what is beyond its edge is not seen
    const seen = box => ({ ...box.toJSON(), right: Math.min(box.right, frame?.right ?? Infinity) });
    return [...range.getClientRects()].filter(box => box.width > 1).map(box => [one, seen(box)]);
  });
  const wrong = [];
  for (const one of shown) {
    const hides = getComputedStyle(one).overflow !== 'visible' && !one.closest('.chip');
    if (hides && one.scrollWidth > one.clientWidth + 1) wrong.push(`cut: ${one.textContent.slice(0, 40)}`);
  }
  for (const [at, [one, a]] of boxes.entries()) for (const [other, b] of boxes.slice(at + 1)) {
    if (one === other || one.contains(other) || other.contains(one)) continue;
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const told = [one, other].map(it => it.textContent.slice(0, 30)).join(' | ');
    if (x > 2 && y > 4) wrong.push(`over each other: ${told}`);
  }
  return wrong.slice(0, 10);
}"""
"""Texts that are cut off or lie over each other, outside of pictures; the first ten of them."""
NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, summary, textarea')].filter(one => {
  const label = one.getAttribute('aria-label') ?? (one.labels?.[0]?.textContent || one.textContent);
  return !label.trim();
}).map(one => one.outerHTML.slice(0, 90))"""
"""What can be used and has no name for a screen reader."""
CROWDED = """() => [...document.querySelectorAll('.panels svg')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].filter(one => one.textContent.trim());
  const boxes = texts.map(one => [one.firstChild.textContent, one.getBoundingClientRect()]);  // less its title
  const frame = svg.getBoundingClientRect();
  const outside = box => box.left < frame.left - 1 || box.right > frame.right + 1;
  const out = boxes.filter(([, box]) => outside(box)).map(([text]) => `out: ${text}`);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
  const over = boxes.flatMap(([text, a], at) => boxes.slice(at + 1).filter(([, b]) => meet(a, b))
    .map(([other]) => `over each other: ${text} | ${other}`));
  const cut = boxes.filter(([text]) => text.endsWith('…')).map(([text]) => `cut: ${text}`);
  return [...out, ...over, ...cut];
}).slice(0, 10)"""
"""The same of the words in pictures."""
PALE = """() => {
  const parts = color => (color.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if ((color[3] ?? 1) > 0.99) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('#top *, main *')].filter(one => {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    const apart = '.visually-hidden, .hidden, :disabled, details:not([open]) > :not(summary), svg, img, canvas';
    return own && one.getClientRects().length && !one.closest(apart);
  }).filter(one => {
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 4.5;
  }).map(one => one.outerHTML.slice(0, 90)).slice(0, 10);
}"""
"""Texts with less contrast to what is behind them than WCAG's AA asks for, 4.5 to 1."""
WIDE = """() => innerWidth < 1000 ? [] : [...document.querySelectorAll('.story .scroll')].filter(one =>
  one.clientWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.slice(0, 60))"""
"""Tables beside the pictures of a wide page that are wider than their place."""


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
