"""Run on the host that quickstart has set up: the portal's pages as the final page of text tells of them.

    visit.py invitation PORT CODE PASSWORD      opens the link, chooses the password, prints what is then shown
    visit.py administrator PORT PASSWORD SECRET logs in as "admin" and prints the page
"""
import sys

from lab.portal import Visitor, one_time_code


def invitation(visitor, code, password):
    page = visitor.submit(visitor.get("/invite"), "/invite", code=code)
    assert page.status == 200, page.text
    print(page.text)
    return visitor.submit(page, "/invite/use", password=password, again=password)


def administrator(visitor, password, secret):
    return visitor.submit(visitor.get("/admin/login"), "/admin/login", name="admin", password=password,
                          answer=one_time_code(secret))


what, port, *rest = sys.argv[1:]
shown = {"invitation": invitation, "administrator": administrator}[what](Visitor(int(port)), *rest)
print(shown.status, shown.text)
