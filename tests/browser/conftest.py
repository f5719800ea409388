"""A real browser, without a screen, at the portal of a real gateway."""
import itertools
import pathlib

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from lab import world
from lab.gateway import Gateway, settings
from lab.portal import ADMIN_PASSWORD, Portal, one_time_code
from lab.shell import wait_for
from lab.world import World

PSK = "four-winds-1867"
USERS = {"alice": "wonder-land-42", "bob": "builder-77-hats"}
PHONE, DESK = (360, 740), (1100, 800)


_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _no_remains():
    world.sweep()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = World()
    try:
        made.add_gateway_and_office()
        gateway = Gateway(made.gateway, tmp_path_factory.mktemp("site") / "gateway", PSK, USERS, settings(grid={"enabled": "on", "totp": '"alternative"'}))
        made.on_close(gateway.close)
        made.gateway_program = gateway
        made.portal = Portal(gateway)
        made.on_close(made.portal.close)
        yield made
    finally:
        made.close()


@pytest.fixture
def portal(site):
    return site.portal


class Browser:
    """A window of this size and language."""

    def __init__(self, portal, size, language):
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--ignore-certificate-errors",
                     f"--window-size={size[0]},{size[1]}", f"--lang={language}", "--disable-gpu"):
            options.add_argument(word)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False})
        self.portal = portal

    def go(self, path):
        self.driver.get(self.portal.url + path)

    @property
    def path(self):
        return self.driver.execute_script("return location.pathname")

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, what, condition, seconds=15):
        def now():
            try:
                return condition()
            except WebDriverException:  # the page changes under it
                return None

        try:
            return wait_for(what, now, seconds, 0.1)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.driver.current_url}\n{self.text}") from late

    def fill(self, action, **fields):
        """Fills in the form and sends it as a person does: by its button."""
        form = self.one(f'form[action="{action}"]')
        for name, value in fields.items():
            field = form.find_element(By.NAME, name)
            field.clear()
            field.send_keys(value)
        form.find_element(By.CSS_SELECTOR, "button[type=submit]").click()

    def log_in(self, name, password):
        self.go("/login")
        self.fill("/login", name=name, password=password)
        self.until("logged in", lambda: self.path == "/me")

    def log_in_admin(self):
        """As an administrator of this browser's own: a one-time code is good once."""
        name = f"keeper-{next(_numbers)}"
        secret = self.portal.admin(name, ADMIN_PASSWORD)
        self.go("/admin/login")
        self.fill("/admin/login", name=name, password=ADMIN_PASSWORD, answer=one_time_code(secret))
        self.until("logged in", lambda: self.path == "/admin")

    def fits(self):
        """Nothing makes the page wider than the window."""
        return self.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")

    def complaints(self):
        """What the browser itself found wrong: refused scripts and styles, errors of the script."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "status of 4" not in entry["message"]]

    def picture(self, name):
        """Kept in docs/pictures when the tests are run with --pictures."""
        if self.pictures:
            directory = pathlib.Path(__file__).resolve().parents[2] / "docs/pictures"
            directory.mkdir(exist_ok=True)
            self.driver.save_screenshot(str(directory / f"{name}.png"))

    def close(self):
        self.driver.quit()


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="write the pictures of docs/pictures anew")


@pytest.fixture
def open_browser(request, portal):
    opened = []

    def make(size=DESK, language="en"):
        browser = Browser(portal, size, language)
        browser.pictures = request.config.getoption("--pictures", default=False)
        opened.append(browser)
        return browser

    yield make
    for browser in opened:
        try:
            assert browser.complaints() == []
        finally:
            browser.close()
