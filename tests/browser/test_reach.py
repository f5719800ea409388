"""Every page within reach: on a phone, by the keyboard alone, in light and in dark, with labels."""
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from lab.client import Client
from lab.portal import ADMIN_PASSWORD

PHONE = (360, 740)
PATTERN = [0, 21, 10, 35, 5, 44, 18, 31]
SLOW = 60  # seconds that a page may take on a busy machine
CONTRAST = 4.5  # of text and what is behind it (WCAG 2.2, 1.4.3)

# Texts with less contrast than that, by the colours that the browser has computed.
FAINT = """
const least = arguments[0];
const read = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const light = (c) => c.slice(0, 3).map((v) => v / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
function behind(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    layers.push(read(getComputedStyle(at).backgroundColor));
    if (layers.at(-1)[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}
function contrast(element) {
  const ground = behind(element), ink = over(read(getComputedStyle(element).color), ground);
  const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}
const places = new Map([...document.querySelectorAll("input:not([type=hidden]):not([type=checkbox]), select, textarea")]
  .map((field) => [field, field.name]));
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (node.data.trim() !== "" && node.parentElement.checkVisibility({ visibilityProperty: true })) places.set(node.parentElement, node.data.trim());
}
return { seen: places.size, faint: [...places].map(([e, text]) => [contrast(e), text]).filter(([c]) => c < least) };
"""

# What can be acted on; and from then on, what the focus comes to and whether that is seen.
LISTEN = """
window.focused = new Set();
window.unseen = [];
document.addEventListener("focusin", (event) => {
  focused.add(event.target);
  const style = getComputedStyle(event.target);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) unseen.push(event.target.outerHTML.slice(0, 120));
});
window.wanted = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }));
return wanted.length + 4 * document.querySelectorAll("input[type=date]").length;
"""
MISSED = "return [wanted.filter((e) => !focused.has(e)).map((e) => e.outerHTML.slice(0, 120)), unseen, focused.size];"


def scheme(browser, name):
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})


def check_colours(browser, where):
    grounds = []
    for name in ("dark", "light"):
        scheme(browser, name)
        told = browser.driver.execute_script(FAINT, CONTRAST)
        assert told["seen"] > 3 and told["faint"] == [], (where, name, told["faint"])
        grounds.append(browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1], where


def check_keyboard(browser, where):
    stops = browser.driver.execute_script(LISTEN)
    ActionChains(browser.driver, duration=0).send_keys(Keys.TAB * (stops + 1)).perform()
    missed, unseen, reached = browser.driver.execute_script(MISSED)
    assert missed == [] and unseen == [] and reached > 2, (where, missed, unseen, reached)


def check(browser, where):
    """The page that the browser shows now."""
    assert browser.fits(), f"{where} is wider than the window"
    assert browser.one("html").get_attribute("lang") == "ja", where
    assert len(browser.all("main h1")) == 1 and browser.all("nav[aria-label]"), where
    for field in browser.all("input:not([type=hidden]), select, textarea, button"):
        assert field.accessible_name or not field.is_displayed(), (where, field.get_attribute("outerHTML"))
    check_colours(browser, where)
    check_keyboard(browser, where)


def visit(browser, *paths):
    for path in paths:
        browser.go(path)
        assert browser.path == path.partition("?")[0], browser.text
        check(browser, path)


def send(browser, action, until, **fields):
    browser.fill(action, **fields)
    browser.until(f"the page after {action}", lambda: browser.all(until), SLOW)
    check(browser, f"POST {action}")


def read(browser):
    cells = [cell.text for cell in browser.all(".grid td")]
    return "".join(cells[cell] for cell in PATTERN)


def test_what_strangers_see_is_within_reach(portal, open_browser):
    browser = open_browser(PHONE, "ja")
    visit(browser, "/login", "/admin/login", "/invite", "/why", "/grid", "/no/such/page")
    browser.go("/login")
    browser.picture("login-phone")
    send(browser, "/login", "[role=alert]", name="nobody", password="not-the-password")
    browser.go("/grid")
    send(browser, "/grid", ".grid td", name="nobody")
    send(browser, "/grid/login", "[role=alert]", answer="12345678")
    browser.driver.get(f"{portal.url}/invite#{portal.ask('invite.make', name='fritz')['token']}")
    browser.until("the choice", lambda: browser.all("form.pattern"), SLOW)
    check(browser, "POST /invite")
    browser.one("input[name=cells]").send_keys("0,1,2,3")
    browser.until("the gateway's word", lambda: browser.all("#strength li"), SLOW)
    check(browser, "POST /invite, a weak pattern")
    browser.one("input[name=cells]").clear()
    send(browser, "/invite/pattern", 'form[action="/invite/practise"]', cells=",".join(map(str, PATTERN)))
    portal.ask("user.del", name="fritz")


def test_what_users_see_is_within_reach(site, portal, open_browser, tmp_path):
    client = Client(site.add_computer(), tmp_path, "bob", "builder-77-hats", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    browser = open_browser(PHONE, "ja")
    browser.log_in("bob", "builder-77-hats")
    visit(browser, "/me", "/me/device", "/me/device?for=ios", "/me/device/hand", "/me/why", "/me/pattern", "/me/codes", "/me/password")
    browser.go("/me/device")
    browser.one("summary").send_keys(Keys.ENTER)
    browser.until("the list", lambda: browser.one(".devices a").is_displayed())
    check(browser, "/me/device with the list")
    browser.one('.devices a[href$="for=windows"]').send_keys(Keys.ENTER)
    browser.until("the other", lambda: "for=windows" in browser.driver.current_url and "Windows" in browser.one("h2").text, SLOW)
    browser.go("/me/codes")
    send(browser, "/me/codes/begin", "code", old="builder-77-hats")
    browser.go("/me/pattern")
    send(browser, "/me/pattern", 'form[action="/me/pattern/practise"]', cells=",".join(map(str, PATTERN)), old="builder-77-hats")
    client.close()


def test_what_administrators_see_is_within_reach(portal, open_browser):
    browser = open_browser(PHONE, "ja")
    browser.log_in_admin()
    portal.ask("group.add", name="field")
    visit(browser, "/admin", "/admin/users", "/admin/user?name=bob", "/admin/groups", "/admin/group?name=field", "/admin/stories",
          "/admin/pools", "/admin/health", "/admin/config", "/admin/administrators", "/admin/tokens")
    browser.go("/admin/config")
    send(browser, "/admin/config", "[role=alert]", config="ike { policy = ancient }")
    browser.go("/admin/user?name=bob")
    send(browser, "/admin/user/invite", "#invite")
    visit(browser, "/admin/invites")
    browser.go("/admin/tokens")
    browser.one("input[name=scope_status]").send_keys(Keys.SPACE)
    send(browser, "/admin/tokens/make", "#secret", name="monitor")
    browser.go("/admin/administrators")
    send(browser, "/admin/administrators/add", "#secret", name="second", password=ADMIN_PASSWORD, again=ADMIN_PASSWORD)
    visit(browser, "/admin/administrator?name=second")
    send(browser, "/admin/administrator/codes", "#secret")
    portal.ask("token.revoke", name="monitor")
