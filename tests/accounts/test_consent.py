"""The statement people agree to: whole in both languages, and known by its hash."""

import hashlib
from dataclasses import replace

import pytest

from accounts.consent import TEXTS, privacy_statement
from accounts.models import Language

NO_BREAK = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize("language", Language)
def test_a_statement_is_cut_into_blocks(language: Language) -> None:
    statement = privacy_statement()
    blocks = statement.blocks(language)
    assert statement.title(language).startswith(("Privacy", "Énoncé"))
    assert blocks[0].kind == "heading"
    assert {block.kind for block in blocks} == {"heading", "paragraph", "list"}
    lines = [line for block in blocks for line in block.lines]
    assert not any(line.startswith(("#", "- ")) or "\n" in line for line in lines)
    shown = "".join(lines)
    whole = statement.text(language).partition("\n")[2]
    assert len(shown) == len(whole.replace("## ", "").replace("\n- ", "\n").replace("\n", ""))


def test_both_languages_say_as_much() -> None:
    statement = privacy_statement()
    english, french = (statement.blocks(language) for language in Language)
    assert [(block.kind, len(block.lines)) for block in english] == [
        (block.kind, len(block.lines)) for block in french
    ]


def test_the_hash_is_of_both_texts() -> None:
    statement = privacy_statement()
    english = (TEXTS / "privacy-1.en.txt").read_text("utf-8")
    french = (TEXTS / "privacy-1.fr.txt").read_text("utf-8")
    expected = hashlib.sha256(f"{english}\0{french}".encode()).hexdigest()
    assert statement.text_hash == expected
    assert replace(statement, french=french + "!").text_hash != expected
    assert replace(statement, english=english + "!").text_hash != expected


def test_a_version_that_was_agreed_to_never_changes() -> None:
    """Whoever changes a word of it makes version 2."""
    assert privacy_statement().version == "1"
    assert privacy_statement().text_hash == (
        "5758acfbb324889dde637faaf809150a915bbbe1a221b2976a251e9ad1ca8d06"
    )


def test_the_french_text_has_canadian_spacing() -> None:
    french = privacy_statement().french
    assert french.count(":") == french.count(f"{NO_BREAK}:") > 0
    assert not any(f" {mark}" in french for mark in ":;?!»")
    assert "'" not in french
