"""Forms of administrators save what was changed in them, and nothing else: another may have changed the rest meanwhile."""
import time

USER, GROUP = "/admin/user", "/admin/group"


def user_of(portal, name="alice"):
    return portal.ask("user.list", name=name)["users"][0]


def group_of(portal, name="field"):
    return portal.ask("group.list", name=name)["groups"][0]


def of_before(fields):
    """The form as pages had it that do not say how it was shown."""
    return {name: value for name, value in fields.items() if not name.startswith("was_")}


def test_an_expiry_keeps_its_time_of_day_when_a_note_is_saved(portal, keeper):
    """keeper <-- page: expires on this date; keeper --> page: a note alone."""
    evening = int(time.time()) + 12 * 3600
    for language in ("en", "ja"):
        portal.ask("user.set", name="alice", expires=evening)
        page = keeper.submit(keeper.get(f"{USER}?name=alice&language={language}"), f"{USER}/save", note=f"guest {language}")
        assert page.status == 200 and ("Saved." in page.text) == (language == "en"), page.text
        assert (user_of(portal)["expires"], user_of(portal)["note"]) == (evening, f"guest {language}")
    assert portal.visitor().log_in("alice", "wonder-land-42").status == 200


def test_an_expiry_that_was_changed_is_saved(portal, keeper):
    portal.ask("user.set", name="alice", expires=int(time.time()) + 12 * 3600)
    keeper.submit(keeper.get(f"{USER}?name=alice"), f"{USER}/save", expires="2030-01-31")
    assert user_of(portal)["expires"] == 1896048000
    keeper.submit(keeper.get(f"{USER}?name=alice"), f"{USER}/save", expires="")
    assert user_of(portal)["expires"] == 0
    page = keeper.submit(keeper.get(f"{USER}?name=alice"), f"{USER}/save", expires="tomorrow", note="not taken")
    assert "Saved." not in page.text and (user_of(portal)["expires"], user_of(portal)["note"]) == (0, "")


def test_a_stale_form_leaves_a_user_as_another_has_made_it(portal, keeper):
    """keeper <-- page; another --> gateway: disabled and more; keeper --> page: a note."""
    portal.ask("group.add", name="field")
    page = keeper.get(f"{USER}?name=alice")
    meanwhile = {"enabled": False, "expires": 1900000001, "address": "10.99.0.200", "max_sessions": 4, "group": "field"}
    portal.ask("user.set", name="alice", **meanwhile)
    answer = keeper.submit(page, f"{USER}/save", note='of "yesterday" & <before>')
    assert "Saved." in answer.text
    user = user_of(portal)
    assert {name: user[name] for name in meanwhile} == meanwhile and user["note"] == 'of "yesterday" & <before>'
    untouched = keeper.submit(page, f"{USER}/save")
    assert "Saved." in untouched.text and user_of(portal) == user, "nothing was changed in it"
    fresh = keeper.get(f"{USER}?name=alice")
    assert fresh.form(f"{USER}/save")["group"] == "field"
    keeper.submit(fresh, f"{USER}/save", enabled="1", group="", address="", max_sessions="2", note="")
    user = user_of(portal)
    assert [user[name] for name in ("enabled", "group", "address", "max_sessions", "note")] == [True, "", "", 2, ""]
    assert user["expires"] == 1900000001


def test_a_stale_form_leaves_a_group_as_another_has_made_it(portal, keeper):
    portal.ask("group.add", name="field")
    page = keeper.get(f"{GROUP}?name=field")
    meanwhile = {"enabled": False, "pool": "office", "max_sessions": 7, "login": "grid"}
    portal.ask("group.set", name="field", **meanwhile)
    assert "Saved." in keeper.submit(page, f"{GROUP}/save", note="on the road").text
    group = group_of(portal)
    assert {name: group[name] for name in meanwhile} == meanwhile and group["note"] == "on the road"
    keeper.submit(page, f"{GROUP}/save")
    assert group_of(portal) == group, "nothing was changed in it"
    keeper.submit(keeper.get(f"{GROUP}?name=field"), f"{GROUP}/save", enabled="1", pool="", login="", max_sessions="3")
    group = group_of(portal)
    assert [group[name] for name in ("enabled", "pool", "login", "max_sessions")] == [True, "", "", 3]
    assert group["note"] == "on the road"


def test_whoever_is_switched_off_in_the_form_is_off(portal, keeper):
    fields = keeper.get(f"{USER}?name=alice").form(f"{USER}/save")
    del fields["enabled"]
    keeper.post(f"{USER}/save", fields)
    assert user_of(portal)["enabled"] is False
    keeper.post(f"{USER}/save", {**fields, "was_enabled": "", "enabled": "1"})
    assert user_of(portal)["enabled"] is True


def test_a_form_that_does_not_say_how_it_was_shown_is_saved_whole(portal, keeper):
    portal.ask("group.add", name="field")
    page = keeper.get(f"{USER}?name=alice")
    fields = {**of_before(page.form(f"{USER}/save")), "note": "from an old tab", "max_sessions": "5", "expires": "2030-01-31"}
    del fields["enabled"]
    keeper.post(f"{USER}/save", fields)
    user = user_of(portal)
    assert (user["enabled"], user["note"], user["max_sessions"], user["expires"]) == (False, "from an old tab", 5, 1896048000)
    fields = {**of_before(keeper.get(f"{GROUP}?name=field").form(f"{GROUP}/save")), "note": "from an old tab", "login": "grid"}
    keeper.post(f"{GROUP}/save", fields)
    group = group_of(portal)
    assert (group["enabled"], group["note"], group["login"]) == (True, "from an old tab", "grid")


def test_a_group_keeps_a_pool_that_the_configuration_no_longer_has(site, portal, gateway, keeper):
    """The page says which it is, rather than to take it away silently with whatever else is saved."""
    portal.ask("group.add", name="field", pool="office")
    config = gateway.config.read_text()
    assert 'pool "office"' in config
    gateway.config.write_text(config.replace('pool "office"', 'pool "branch"'))
    portal.ask("config.reload")
    page = keeper.get(f"{GROUP}?name=field")
    assert page.form(f"{GROUP}/save")["pool"] == "office"
    keeper.submit(page, f"{GROUP}/save", note="on the road")
    assert group_of(portal)["pool"] == "office"
