"""People at the portal, with a real browser."""
import re

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lab.client import Client
from lab.portal import one_time_code

PHONE = (360, 740)


def test_a_user_sees_a_connection_and_ends_it(site, portal, open_browser, tmp_path):
    client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    browser = open_browser()
    browser.log_in("alice", "wonder-land-42")
    browser.until("the session is told", lambda: browser.all("article.session"))
    assert client.address in browser.text
    browser.picture("user")
    browser.one('form[action="/me/kick"] button').click()
    browser.until("it is told", lambda: "Disconnected." in browser.text)


def test_the_file_for_this_device_is_taken(open_browser, tmp_path):
    browser = open_browser()
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.log_in("alice", "wonder-land-42")
    browser.go("/me/device")
    assert "Linux with NetworkManager" in browser.one("main h2").text, "the browser says what it runs on"
    browser.picture("device")
    browser.one('a[href="/me/device/file?for=linux"]').click()
    browser.until("the whole file", lambda: any("alice" in f.read_text() for f in tmp_path.glob("*.nmconnection")))


def test_a_wrong_password_is_told_and_nothing_else(open_browser):
    browser = open_browser()
    browser.go("/login")
    browser.fill("/login", name="alice", password="looking-glass-7")
    browser.until("it is told", lambda: browser.all('[role="alert"]'))
    assert "The login was refused." in browser.text
    assert browser.one("input[name=password]").get_attribute("value") == ""


def test_the_keyboard_is_enough(open_browser):
    browser = open_browser()
    browser.go("/login")

    def press(*keys):
        for key in keys:
            browser.driver.switch_to.active_element.send_keys(key)

    def tab_to(condition, most=30):
        for _ in range(most):
            press(Keys.TAB)
            if condition(browser.driver.switch_to.active_element):
                return
        raise AssertionError("the keyboard does not get there")

    press(Keys.TAB)
    assert browser.driver.switch_to.active_element.get_attribute("class") == "skip", "the first stop"
    tab_to(lambda e: e.get_attribute("name") == "name")
    press("bob")
    tab_to(lambda e: e.get_attribute("name") == "password")
    press("builder-77-hats", Keys.ENTER)
    browser.until("logged in", lambda: browser.path == "/me")
    tab_to(lambda e: (e.get_attribute("href") or "").endswith("/me/password"))
    press(Keys.ENTER)
    browser.until("the page", lambda: browser.path == "/me/password")
    tab_to(lambda e: "Log out" in e.text)
    press(Keys.ENTER)
    browser.until("logged out", lambda: browser.path == "/login")


def test_the_language_is_switched_and_kept(open_browser):
    browser = open_browser(language="en")
    browser.go("/login")
    assert "User name" in browser.text
    browser.one("a.language").click()
    browser.until("Japanese", lambda: "ユーザー名" in browser.text)
    browser.go("/why")
    assert "つながらない理由" in browser.text


def test_an_invitation_leads_from_the_link_to_the_vpn(site, portal, open_browser, tmp_path):
    admin, guest = open_browser(), open_browser()
    admin.log_in_admin()
    admin.go("/admin/users")
    admin.fill("/admin/users/add", name="dora")
    link = admin.until("the link", lambda: admin.all("#invite"))[0].get_attribute("value")
    assert re.fullmatch(re.escape(portal.url) + "/invite#[A-Za-z0-9_-]+", link)
    assert admin.one("#invite-qr svg").accessible_name, "the picture says what it is"
    admin.one("button.copy").click()
    admin.until("copied", lambda: admin.one("button.copy").text == "Copied")
    admin.picture("invitation")
    guest.driver.get(link)
    guest.until("the form", lambda: "Welcome, dora." in guest.text)
    assert "#" not in guest.driver.current_url, "the code is out of the address bar"
    guest.fill("/invite/use", password="eleven-frogs-leap", again="eleven-frogs-leap")
    guest.until("logged in", lambda: "You are logged in." in guest.text)
    assert guest.path == "/me/device"
    client = Client(site.add_computer(), tmp_path, "dora", "eleven-frogs-leap", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    again = open_browser()
    again.driver.get(link)
    again.until("used up", lambda: "This invitation is not good" in again.text)


def test_an_invitation_leads_to_a_pattern_by_the_keyboard_alone(portal, open_browser):
    guest = open_browser((360, 740), "ja")
    guest.driver.get(f"{portal.url}/invite#{portal.ask('invite.make', name='emma')['token']}")
    guest.until("the choice", lambda: guest.all("form.pattern"))
    assert guest.fits()
    pattern = [0, 21, 10, 35, 5, 44, 18, 31]
    for cell in pattern[:3]:
        guest.one(f'button[data-cell="{cell}"]').send_keys(Keys.SPACE)
    weak = guest.until("the gateway's word", lambda: guest.one("#strength li").text)
    assert "マスの数が足りません。" in weak
    for cell in pattern[3:]:
        guest.one(f'button[data-cell="{cell}"]').send_keys(Keys.SPACE)
    guest.until("it is good", lambda: "このパターンは使えます。" in guest.one("#strength").text)
    assert guest.one('button[data-cell="31"]').accessible_name.endswith(": 8")
    guest.picture("invitation-phone")
    guest.one("input[name=cells]").send_keys(Keys.ENTER)
    for _ in range(2):
        field = guest.until("practice", lambda: guest.one('form[action="/invite/practise"] input[name=answer]'))
        grid = guest.one("input[name=grid]").get_attribute("value")
        cells = [cell.text for cell in guest.all(".grid td")]
        field.send_keys("".join(cells[cell] for cell in pattern), Keys.ENTER)
        guest.until("the next", lambda: guest.path == "/me/device" or guest.one("input[name=grid]").get_attribute("value") != grid)
    assert "パターンが有効になりました。" in guest.text and guest.fits()
    portal.ask("user.del", name="emma")


def test_an_administrator_watches_and_disables(site, portal, open_browser, tmp_path):
    browser = open_browser()
    browser.log_in_admin()
    before = len(browser.all("#sessions tbody tr"))
    client = Client(site.add_computer(), tmp_path, "bob", "builder-77-hats", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    browser.until("the table grows by itself", lambda: len(browser.all("#sessions tbody tr")) > before)
    client.ping(count=20, size=1000)
    browser.until("the plot is drawn", lambda: browser.one("#plot polyline.in").get_attribute("points").count(",") > 2)
    browser.until("who connected is told", lambda: any("bob connected" in e.text for e in browser.all("#events li")), 40)
    browser.picture("admin")
    portal.ask("user.set", name="bob", expires=1900000001)
    browser.go("/admin/user?name=bob")
    browser.one("input[name=enabled]").click()
    browser.one('form[action="/admin/user/save"] button').click()
    browser.until("saved", lambda: "Saved." in browser.text)
    assert all(s["user"] != "bob" for s in site.gateway_program.sessions())
    bob = portal.ask("user.list", name="bob")["users"][0]
    assert (bob["enabled"], bob["expires"]) == (False, 1900000001), "the box alone was changed"
    browser.go("/admin")
    mallory = Client(site.add_computer(), tmp_path / "mallory", "mallory", "not-the-password", "four-winds-1867", wait=False)
    site.on_close(mallory.close)
    news = browser.until("who was refused is told", lambda: [e for e in browser.all("#events li") if "mallory" in e.text], 40)
    assert "A login of mallory was refused" in news[0].text and "There is no user of this name." in news[0].text
    assert "bob disconnected" in browser.one("#events").text and browser.all("#events[aria-live=polite]")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    browser.driver.execute_script("document.getElementById('events-head').scrollIntoView()")
    browser.picture("events-dark")


def test_a_pattern_is_tapped_on_a_phone(site, portal, open_browser):
    browser = open_browser(PHONE)
    browser.log_in("alice", "wonder-land-42")
    browser.go("/me/pattern")
    pattern = [0, 21, 10, 35, 5, 44, 18, 31]
    for cell in [0, 7, *pattern[1:]]:
        browser.one(f'button[data-cell="{cell}"]').click()
    browser.one('button[data-cell="7"]').click()  # once more: taken out
    assert browser.one("input[name=cells]").get_attribute("value") == ",".join(map(str, pattern))
    assert browser.one('button[data-cell="31"]').text == "8" and browser.fits()
    browser.until("its strength", lambda: "can be taken" in browser.one("#strength").text)
    browser.picture("pattern-phone")
    browser.fill("/me/pattern", old="wonder-land-42")
    browser.until("practice", lambda: browser.all('form[action="/me/pattern/practise"]'))
    assert browser.fits()
    while browser.path != "/me":
        cells = [cell.text for cell in browser.all(".grid td")]
        grid = browser.one("input[name=grid]").get_attribute("value")
        browser.fill("/me/pattern/practise", answer="".join(cells[cell] for cell in pattern))
        browser.until("the next", lambda: browser.path == "/me" or browser.one("input[name=grid]").get_attribute("value") != grid)
    assert "The pattern is in force." in browser.text
    portal.ask("grid.off", user="alice")


def test_a_token_and_an_administrator_are_made_by_keyboard_and_in_japanese(portal, open_browser):
    browser = open_browser(PHONE, "ja")
    browser.log_in_admin()
    browser.go("/admin/tokens")
    field = browser.one('form[action="/admin/tokens/make"] input[name=name]')
    field.send_keys("monitor", Keys.TAB)
    box = browser.one("input[name=scope_status]")
    assert browser.one("fieldset legend").text == "用途" and box.accessible_name.startswith("status: ")
    box.send_keys(Keys.SPACE, Keys.ENTER)
    secret = browser.until("the token", lambda: browser.all("#secret"))[0].get_attribute("value")
    assert portal.ask("token.check", token=secret)["token"]["scopes"] == "status" and browser.fits()
    browser.picture("token-phone")
    browser.go("/admin/administrators")
    assert "(自分)" in browser.text
    browser.fill("/admin/administrators/add", name="deputy", password="river-of-nine-bends", again="river-of-nine-bends")
    code = browser.until("the secret", lambda: browser.all("code#secret"))[0].text
    assert browser.all(".qr svg") and browser.fits()
    browser.picture("administrator-phone")
    deputy = open_browser(language="ja")
    deputy.go("/admin/login")
    deputy.fill("/admin/login", name="deputy", password="river-of-nine-bends", answer=one_time_code(code))
    deputy.until("logged in", lambda: deputy.path == "/admin")
