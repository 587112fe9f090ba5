"""A person at a browser who walks by what a page offers, and looks at every page on the way."""

import re
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse
from django.utils.translation import gettext, override
from playwright.sync_api import Locator, Page, Response

from accounts.models import User
from tests.accounts.people import PASSWORD, code_in
from tests.browser.looks import NARROW, WIDTHS, wrongs
from tests.chromium import press
from tests.conftest import NIGHTLY


@dataclass
class Visitor:
    """Whoever sits at `page`: reads `language`, and enters and presses what stands there.

    Each step that leads to a page asserts its status and that nothing is wrong with it; the pages
    are kept in `seen`. With scripts they are looked at in a narrow window, and at night in a wide
    one too, and left in either; without, in a narrow one.
    """

    page: Page
    language: str
    scripts: bool = True
    seen: list[str] = field(default_factory=list)

    # ------------------------------------------------------------ words and addresses

    def say(self, text: str) -> str:
        """A text of the portal as this visitor reads it."""
        with override(self.language):
            return gettext(text)

    def address(self, name: str, **parts: Any) -> str:
        """The address of a page in the visitor's language."""
        with override(self.language):
            return reverse(name, kwargs=parts)

    # ------------------------------------------------------------ steps that lead to a page

    def open(self, address: str, *, status: int = 200) -> None:
        """Type an address."""
        self.arrive(self.page.goto(address), status)

    def visit(self, name: str, *, status: int = 200, **parts: Any) -> None:
        """Type the address of a page."""
        self.open(self.address(name, **parts), status=status)

    def follow(self, name: str, *, status: int = 200, **parts: Any) -> None:
        """Click a link of the page shown that leads to the page `name`."""
        self._click(self.link(name, **parts).first, status)

    def press(self, label: str, *, status: int = 200) -> None:
        """Press the button that is labelled so."""
        self._click(self.page.get_by_role("button", name=self.say(label), exact=True), status)

    def is_refused(self, name: str, **parts: Any) -> bool:
        """Whether there is no such page for this visitor, without going there."""
        return self.page.request.get(self.address(name, **parts)).status == 404

    def _click(self, target: Locator, status: int) -> None:
        self.arrive(press(target), status)

    def arrive(self, response: Response | None, status: int) -> None:
        """Look at the page that a step led to."""
        where = self.page.url
        assert response is not None and response.status == status, (where, response)
        widths = WIDTHS if self.scripts and NIGHTLY else (NARROW,)
        found = wrongs(self.page, self.language, scripts=self.scripts, widths=widths)
        assert not found, f"{where}:\n" + "\n".join(found)
        self.seen.append(where)

    # ------------------------------------------------------------ what stands on the page

    def link(self, name: str, **parts: Any) -> Locator:
        """The links of the page shown that lead to the page `name`."""
        return self.page.locator(f'a[href="{self.address(name, **parts)}"]')

    def fill(self, **answers: Any) -> None:
        """Answer the fields of these names, as each is answered: typed, chosen or ticked."""
        for name, answer in answers.items():
            fields = self.page.locator(f'[name="{name}"]')
            match fields.first.get_attribute("type") or fields.first.evaluate("one => one.type"):
                case "radio":
                    self.page.locator(f'[name="{name}"][value="{answer}"]').check(force=True)
                case "checkbox" if isinstance(answer, bool):
                    fields.set_checked(answer, force=True)
                case "checkbox":
                    for box in fields.all():
                        box.set_checked(box.get_attribute("value") in answer, force=True)
                case "select-one":
                    fields.select_option(answer)
                case _:
                    fields.fill(answer)

    def reads(self, text: str) -> bool:
        """Whether `text` stands in the content of the page, whatever spaces part its words."""
        return " ".join(text.split()) in " ".join(self.page.locator("main").inner_text().split())

    def declarations(self) -> set[str]:
        """The transaction numbers that the page links to."""
        found = self.page.locator('main a[href*="/transactions/"]').all()
        return {part for one in found for part in re.findall(r"\d{14}", _address_of(one))}

    # ------------------------------------------------------------ signing in and up

    def sign_up(self, given: str, family: str) -> str:
        """Create an account and the personal profile; return the e-mail address."""
        email = f"{given}.{family}@mail.example".lower()
        self.visit("home")
        self.follow("account_signup")
        self.fill(email=email, password1=PASSWORD, password2=PASSWORD)
        self.press("Create the account")
        self._enter_code(email)
        self.fill(given_name=given, family_name=family, telephone="306-555-0187", consent=True)
        self.press("Create my profile")
        return email

    def sign_in(self, email: str) -> None:
        """Sign in with the password and the code that is mailed."""
        self.visit("account_login")
        self.fill(login=email, password=PASSWORD)
        self.press("Sign in")
        self._enter_code(email)

    def _enter_code(self, email: str) -> None:
        self.fill(code=code_in([one for one in mail.outbox if one.to == [email]]))
        self.press("Confirm")


def _address_of(link: Locator) -> str:
    return link.get_attribute("href") or ""


def let_sign_in(person: User) -> User:
    """Give a person who was made by a service the password that visitors type."""
    person.set_password(PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person
