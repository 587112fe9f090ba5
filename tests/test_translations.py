"""French is complete: every text is marked, every message is translated, nothing is stale."""

import re
import shutil
from pathlib import Path

import polib
import pytest

from tests import french, house
from tests.test_house import none

pytestmark = pytest.mark.once

needs_gettext = pytest.mark.skipif(
    shutil.which("msgfmt") is None, reason="gettext is not installed"
)

BROKEN = """
msgid "Good day"
msgstr ""

#, fuzzy
msgid "Good night"
msgstr "Bonjour"

msgid "From %(name)s"
msgstr "De %(nom)s"

msgid "Thank you"
msgstr "Merci"
"""


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(house.ROOT / french.CATALOGUE))


def test_every_message_has_its_french(catalogue: polib.POFile) -> None:
    assert len(catalogue) > 100
    none(french.untranslated(catalogue))


def test_french_takes_the_values_that_english_takes(catalogue: polib.POFile) -> None:
    none(french.broken_placeholders(catalogue))


def test_no_sentence_ends_with_the_name_of_a_firm(catalogue: polib.POFile) -> None:
    """Such names end with “Ltd.” or “inc.”, and two full stops would follow one another."""
    doubled = re.compile(r"%\((firm|client)\)s\.(?!\w)")
    texts = [text for one in catalogue for text in (one.msgid, one.msgstr) if "%(firm)s" in text]
    assert len(texts) > 100
    assert not [text for text in texts if doubled.search(text)]


def test_every_text_of_a_template_is_marked() -> None:
    none(house.breaches(french.unmarked, house.templates()))


@needs_gettext
def test_no_message_is_stale_and_a_new_one_is_seen(tmp_path: Path) -> None:
    """In a copy with one text more, that text is all that the catalogue lacks."""
    house.copy_tree(tmp_path)
    (tmp_path / "templates" / "new.html").write_text("{% translate 'Quite new' %}")

    found = [line for line in french.stale(tmp_path) if line[:3] not in ("---", "+++")]

    assert found == ["+#: templates/new.html", '+msgid "Quite new"', '+msgstr ""', "+"]


@needs_gettext
def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert (
        french.compiled(house.ROOT / french.CATALOGUE)
        == (house.ROOT / french.COMPILED).read_bytes()
    )


def test_what_is_missing_is_seen() -> None:
    broken = polib.pofile(BROKEN)

    assert french.untranslated(broken) == ["Good day", "Good night"]
    assert len(french.broken_placeholders(broken)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "{% if person %}Hello{% endif %}",
        '<input placeholder="Your name">',
        "{% translate 'Hello' %} again",
        "{% blocktranslate trimmed %}Hello{% endblocktranslate %}<p>again</p>",
    ],
)
def test_unmarked_text_is_seen(source: str) -> None:
    assert french.unmarked(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% translate 'Hello' %}",
        "{% blocktranslate trimmed %}Hello{% endblocktranslate %}",
        '<p class="lead">{{ person.name }}, 1.</p>',
        "{# a remark #}{% comment %}a remark{% endcomment %}",
        '<input placeholder="{% translate "Your name" %}">',
    ],
)
def test_marked_text_passes(source: str) -> None:
    assert french.unmarked(source) == []
