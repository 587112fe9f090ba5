"""People as rows: one per address, opaque names, no rights by themselves."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import PersonalProfile, User
from accounts.sign_in import Backend
from tests.accounts.people import PASSWORD


def test_an_address_belongs_to_one_person_in_any_case(newcomer: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ADA@example.ca")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Ada@Example.ca")


def test_user_names_say_nothing(newcomer: User) -> None:
    other = User.objects.create_user("bo@example.ca")
    assert newcomer.username != other.username
    assert "ada" not in newcomer.username
    assert not other.has_usable_password()


@pytest.mark.asvs("8.2.1")
def test_no_flag_opens_anything(newcomer: User) -> None:
    newcomer.is_staff = newcomer.is_superuser = True
    assert not newcomer.has_perm("businesses.bam")
    assert not newcomer.has_perms(["accounts.change_user"])
    assert not newcomer.has_module_perms("accounts")
    assert not hasattr(User.objects, "create_superuser")


def test_a_person_with_a_profile_is_not_deleted(person: User) -> None:
    with pytest.raises(ProtectedError):
        person.delete()


def test_a_person_is_called_by_name_or_else_by_address(newcomer: User, person: User) -> None:
    assert str(newcomer) == "ada@example.ca"
    assert str(person) == str(person.profile) == "Ada Okafor"


def test_the_profile_comes_with_the_person(person: User, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = Backend().get_user(person.pk)
        assert found and found.has_profile


@pytest.mark.asvs("7.4.2")
def test_somebody_disabled_is_not_let_in(person: User) -> None:
    assert Backend().get_user(person.pk) == person
    User.objects.update(is_active=False)
    assert Backend().get_user(person.pk) is None
    assert Backend().authenticate(None, email=person.email, password=PASSWORD) is None


def test_mail_is_wanted_only_with_a_profile_that_says_so(newcomer: User, person: User) -> None:
    assert not User.objects.create_user("bo@example.ca").wants_optional_mail
    assert person.wants_optional_mail
    PersonalProfile.objects.update(notify_by_email=False)
    assert not User.objects.get(pk=person.pk).wants_optional_mail
