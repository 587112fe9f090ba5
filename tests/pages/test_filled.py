"""A page with what was written before in its form, and nothing else of it changed."""

import html5lib
import pytest

from pages.filled import filled

FORM = '<form method="post">{}</form>'
CASES: dict[str, tuple[str, dict[str, list[str]], str]] = {
    "text": ('<input name="a">', {"a": ["x"]}, '<input name="a" value="x">'),
    "an unclosed one": (
        '<input type="text" name="a" value="old"/>',
        {"a": ["new"]},
        '<input type="text" name="a" value="new">',
    ),
    "what would be code": (
        '<input name="a">',
        {"a": ['"><script>']},
        '<input name="a" value="&quot;&gt;&lt;script&gt;">',
    ),
    "an area": (
        '<textarea name="a" rows="3">old &amp; long</textarea>',
        {"a": ["</textarea>\nnew"]},
        '<textarea name="a" rows="3">\n&lt;/textarea&gt;\nnew</textarea>',
    ),
    "several of one name": (
        '<input name="a"><input name="a">',
        {"a": ["1", "2"]},
        '<input name="a" value="1"><input name="a" value="2">',
    ),
    "boxes": (
        '<input type="checkbox" name="a" value="1" checked>'
        '<input type="checkbox" name="a" value="2">',
        {"a": ["2"]},
        '<input type="checkbox" name="a" value="1">'
        '<input type="checkbox" name="a" value="2" checked>',
    ),
    "a box that was left empty": (
        '<input name="b"><input type="checkbox" name="a" checked>',
        {"b": ["x"]},
        '<input name="b" value="x"><input type="checkbox" name="a">',
    ),
    "a box without a value": (
        '<input type="checkbox" name="a">',
        {"a": ["on"]},
        '<input type="checkbox" name="a" checked>',
    ),
    "a list": (
        '<select name="a"><option value="" selected>–<option value="1">One</select>',
        {"a": ["1"]},
        '<select name="a"><option value="">–<option value="1" selected>One</select>',
    ),
}
UNTOUCHED = {
    "hidden": '<input type="hidden" name="a" value="fresh">',
    "a password": '<input type="password" name="a">',
    "a file": '<input type="file" name="a">',
    "a button": '<input type="submit" name="a" value="Go">',
    "barred": '<input name="a" disabled>',
    "of another name": '<input name="b" value="&eacute;">',
    "in a comment": '<!-- <input name="a"> -->',
}


@pytest.mark.parametrize("case", CASES)
def test_a_control_is_filled_in(case: str) -> None:
    before, written, after = CASES[case]
    assert filled(FORM.format(before), written) == FORM.format(after)


@pytest.mark.parametrize("case", UNTOUCHED)
def test_a_control_is_left_alone(case: str) -> None:
    page = FORM.format(UNTOUCHED[case])
    assert filled(page, {"a": ["x"]}) == page


def test_the_form_that_asks_for_most_is_filled_and_no_other() -> None:
    page = (
        '<p>é</p>\n<form method="get"><input name="a"><input name="b"></form>'
        '<form method="post"><input name="a"></form>\n'
        '<form method="post" id="f"><input name="a"></form><input name="b" form="f">'
    )
    assert filled(page, {"a": ["1"], "b": ["2"]}) == page.replace(
        '<form method="post" id="f"><input name="a"></form><input name="b" form="f">',
        '<form method="post" id="f"><input name="a" value="1"></form>'
        '<input name="b" form="f" value="2">',
    )


def test_a_filled_page_is_sound() -> None:
    page = "<!doctype html><title>T</title>" + FORM.format('<input name="a"><textarea name="b">')
    page = page.replace("</form>", "</textarea></form>")
    done = filled(page, {"a": ["'\"<&>"], "b": ["\n<!--"]})
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(done)
    [typed], [area] = tree.iter("input"), tree.iter("textarea")
    assert typed.get("value") == "'\"<&>" and area.text == "\n<!--"
