"""What a person states in the personal profile."""

from dataclasses import asdict, dataclass

from accounts.models import Language, User


@dataclass(frozen=True)
class ProfileDetails:
    """The details of a profile, as a form gives them and as history keeps them."""

    given_name: str
    family_name: str
    telephone: str
    telephone_extension: str
    language: Language
    notify_by_email: bool

    @classmethod
    def of(cls, person: User) -> "ProfileDetails":
        """The details of a person who has a profile."""
        return cls(
            given_name=person.first_name,
            family_name=person.last_name,
            telephone=person.profile.telephone,
            telephone_extension=person.profile.telephone_extension,
            language=Language(person.language),
            notify_by_email=person.profile.notify_by_email,
        )

    def changes_from(self, old: "ProfileDetails") -> tuple[dict[str, object], dict[str, object]]:
        """What differs: before and after, by name of the detail."""
        before, after = asdict(old), asdict(self)
        changed = [name for name in after if after[name] != before[name]]
        return {name: before[name] for name in changed}, {name: after[name] for name in changed}
