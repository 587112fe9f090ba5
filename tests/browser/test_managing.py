"""Employees and relationships of a large business, managed by keyboard, without scripts, at 320."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page

from businesses.models import BusinessAccount
from delegation.models import AccessReview, EmployeeGroup, Relationship, RelationshipTerms
from delegation.roles import Role
from tests import multitude
from tests.browser.test_keyboard import press_enter, tab_to
from tests.chromium import overflow, sign_in
from tests.world import World, roles_of

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock"),
]


class Walk:
    """A visitor with a keyboard and a small window."""

    def __init__(self, page: Page, business: BusinessAccount) -> None:
        self.page, self.bn9 = page, business.bn9

    def go(self, name: str) -> None:
        """Follow the link of the page to another page of the business."""
        address = reverse(name, kwargs={"bn9": self.bn9})
        self.press(self.page.locator(f'a[href="{address}"]:visible').first)

    def press(self, target: Locator) -> None:
        """Reach a link or a button, and press it."""
        tab_to(self.page, target)
        press_enter(self.page)
        assert overflow(self.page) <= 0, self.page.url

    def submit(self, name: str) -> None:
        self.press(self.page.locator("main").get_by_role("button", name=name, exact=True))

    def confirm(self) -> None:
        self.press(self.page.locator('main button[name="confirm"]'))

    def tick(self, target: Locator) -> None:
        tab_to(self.page, target)
        self.page.keyboard.press("Space")

    def write(self, label: str, text: str) -> None:
        tab_to(self.page, self.page.get_by_label(label))
        self.page.keyboard.type(text)


def test_employees_of_a_large_business(
    new_page: Callable[..., Page], portal: str, world: World
) -> None:
    maple = world.importer("Maple")
    multitude.programs(world.program(maple), range(3, 60))
    rita = world.employee("Rita", maple, RM0001="reader")
    page = new_page(javascript=False, width=320)
    sign_in(page, world.manager(maple), portal)
    page.goto(reverse("employee_list", kwargs={"bn9": maple.bn9}))
    walk = Walk(page, maple)

    walk.go("employee_grid")
    walk.press(page.locator('main a[href*="/role/"]').first)
    tab_to(page, page.get_by_label("Business Account Manager", exact=True))
    for _role in ("Program Account Manager", "Editor"):
        page.keyboard.press("ArrowDown")
    walk.write("Find a program account", "port 44")
    press_enter(page)
    walk.tick(page.get_by_label("RM 0044 Port 44"))
    walk.submit("Continue")
    walk.confirm()
    held = roles_of(maple, rita, timezone.now())
    assert {key: role for key, role in held.items() if role} == {
        "RM0001": Role.EDITOR,
        "RM0044": Role.EDITOR,
    }

    page.goto(reverse("employee_list", kwargs={"bn9": maple.bn9}))
    walk.go("employee_group_list")
    walk.go("employee_group_create")
    walk.write("Name of the group", "Desk")
    walk.submit("Continue")
    walk.confirm()
    assert EmployeeGroup.objects.filter(business=maple, name="Desk").exists()

    page.goto(reverse("employee_list", kwargs={"bn9": maple.bn9}))
    walk.go("access_review_list")
    walk.press(page.locator("main form button").first)
    assert AccessReview.objects.filter(business=maple).exists()


def test_relationships_of_a_large_business(
    new_page: Callable[..., Page], portal: str, world: World
) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    multitude.programs(world.program(maple), range(3, 60))
    held = world.relationship(maple, itn)
    page = new_page(javascript=False, width=320)
    sign_in(page, world.manager(maple), portal)
    page.goto(reverse("relationship_list", kwargs={"bn9": maple.bn9}))
    walk, one = Walk(page, maple), {"bn9": maple.bn9, "pk": held.pk}

    walk.press(page.locator(f'main a[href="{reverse("relationship_detail", kwargs=one)}"]').first)
    walk.press(page.locator(f'main a[href="{reverse("relationship_change", kwargs=one)}"]').first)
    walk.write("Find a program account", "0044")
    press_enter(page)
    walk.tick(page.get_by_label("RM 0044 Port 44"))
    walk.tick(page.get_by_label("I have read this text"))
    walk.submit("Continue")
    walk.confirm()
    live = RelationshipTerms.objects.filter(relationship=held, ends_at__gt=timezone.now())
    assert set(live.values_list("program__extension", flat=True)) == {"RM0001", "RM0044"}

    firm = new_page(javascript=False, width=320)
    sign_in(firm, world.manager(itn), portal)
    client = {"bn9": itn.bn9, "client_bn9": maple.bn9}
    firm.goto(reverse("client_detail", kwargs=client))
    theirs = Walk(firm, itn)
    theirs.press(firm.locator(f'main a[href="{reverse("relationship_narrow", kwargs=client)}"]'))
    theirs.tick(firm.get_by_label("RM 0044 Port 44"))
    theirs.confirm()
    assert set(live.values_list("program__extension", flat=True)) == {"RM0001"}

    page.goto(reverse("relationship_detail", kwargs=one))
    walk.press(page.locator(f'main a[href="{reverse("relationship_renew", kwargs=one)}"]').first)
    walk.confirm()
    renewed = Relationship.objects.order_by("-starts_at", "-ends_at")[0]
    assert renewed.ends_at and held.ends_at and renewed.ends_at > held.ends_at
    one = {"bn9": maple.bn9, "pk": renewed.pk}
    page.goto(reverse("relationship_detail", kwargs=one))
    walk.press(page.locator(f'main a[href="{reverse("relationship_end", kwargs=one)}"]').first)
    walk.confirm()
    assert not live.filter(ends_at__gt=timezone.now()).exists()
