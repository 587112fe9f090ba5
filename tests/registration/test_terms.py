"""The terms: the same in both languages, never changed within a version, and well set."""

import re

import pytest

from accounts.models import Language
from registration.terms import TEXTS, terms_in_force

# A version that people accepted keeps its words: a change makes a new version.
KNOWN = {
    "1": (
        "d79320d2a88e2cafc823f235c82e7ff6a3a2fb824f38df1357a40d53a63a5b3f",
        "678aeb104b8f1c1135b93b91a751f4ffc92f3d050972d39b11c3895d5bce94d7",
    ),
}
NO_BREAK = "\u00a0"


def test_an_accepted_version_keeps_its_words() -> None:
    terms = terms_in_force()

    assert (terms.hash_en, terms.hash_fr) == KNOWN[terms.version]


def test_both_languages_have_the_same_sections() -> None:
    terms = terms_in_force()
    english, french = (terms.sections(language) for language in Language)

    numbers = [[section.heading.split(".")[0] for section in part] for part in (english, french)]
    assert numbers[0] == numbers[1] == [str(number) for number in range(1, 12)]
    assert all(section.text for section in (*english, *french))


@pytest.mark.parametrize("language", Language)
def test_the_title_speaks_of_delegation(language: Language) -> None:
    title = terms_in_force().title(language)

    assert "delegation of authority" in title or "délégation de pouvoir" in title


def test_french_is_set_as_in_canada() -> None:
    text = (TEXTS / "terms-1.fr.txt").read_text("utf-8")

    assert "'" not in text and '"' not in text
    assert not re.search(r"\s[;?!]", text)
    assert all(text[at - 1] == NO_BREAK for at in range(len(text)) if text[at] == ":")


def test_english_uses_typographic_marks() -> None:
    text = (TEXTS / "terms-1.en.txt").read_text("utf-8")

    assert "'" not in text and '"' not in text
