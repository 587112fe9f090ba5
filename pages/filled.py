"""A page with what somebody wrote before filled into its form.

The page is the one that is made anew for its reader; only what can be seen and typed or chosen in
it is changed. What is hidden (protection against forgery, keys, versions, seals) stays as it was
made, and so do files and passwords, so that the form means what its reader sees.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from typing import override

NOT_FILLED = frozenset({"hidden", "password", "file", "submit", "button", "image", "reset"})
CHOSEN = frozenset({"checkbox", "radio"})

type Attributes = dict[str, str | None]
type Written = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Control:
    """An input, an option of a select or a text area: where it stands and what it is called."""

    form: str
    name: str
    kind: str
    tag: str
    start: int
    end: int
    attributes: Attributes = field(compare=False)


class Controls(HTMLParser):
    """The controls of the forms of a page that are posted, in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[Control] = []
        self.posted: set[str] = set()
        self._lines = [0]
        for line in page.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._form, self._select, self._area = "", "", -1
        self.feed(page)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        start = self._here()
        end = start + len(self.get_starttag_text() or "")
        if tag == "form":
            self._form = attributes.get("id") or f"form at {start}"
            if (attributes.get("method") or "").lower() == "post":
                self.posted.add(self._form)
        elif tag == "select":
            self._select = attributes.get("name") or ""
        elif tag in ("input", "option", "textarea") and "disabled" not in attributes:
            name = self._select if tag == "option" else attributes.get("name") or ""
            kind = attributes.get("type") or "text" if tag == "input" else tag
            form = attributes.get("form") or self._form
            if tag == "textarea":
                self._area = len(self.found)
            self.found.append(Control(form, name, kind, tag, start, end, attributes))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area >= 0:
            area = self.found[self._area]
            self.found[self._area] = Control(
                area.form, area.name, area.kind, tag, area.start, self._here(), area.attributes
            )
            self._area = -1

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def filled(page: str, written: Written) -> str:
    """The page with `written`, by name of the field, in the first form that asks for most of it."""
    controls = Controls(page)
    asked = [
        one
        for one in controls.found
        if one.form in controls.posted and one.name and one.kind not in NOT_FILLED
    ]
    names = dict.fromkeys((one.form, one.name) for one in asked)
    known = Counter(form for form, name in names if name in written)
    if not known:
        return page
    [(form, _most)] = known.most_common(1)
    return "".join(_pieces(page, [one for one in asked if one.form == form], written))


def _pieces(page: str, controls: Sequence[Control], written: Written) -> Iterator[str]:
    done, texts = 0, {name: iter(values) for name, values in written.items()}
    for one in controls:
        new = _chosen(one, written) if _is_choice(one) else _typed(one, texts)
        if new is not None:
            yield page[done : one.start]
            yield new
            done = one.end
    yield page[done:]


def _is_choice(one: Control) -> bool:
    return one.kind in CHOSEN or one.kind == "option"


def _chosen(one: Control, written: Written) -> str | None:
    """A box, a button or an option: chosen if its value was. A list that says nothing is left."""
    mark = "selected" if one.kind == "option" else "checked"
    if one.kind == "option" and one.name not in written:
        return None
    kept = {name: value for name, value in one.attributes.items() if name != mark}
    is_chosen = one.attributes.get("value", "on") in written.get(one.name, ())
    return _tag(one.tag, kept | ({mark: None} if is_chosen else {}))


def _typed(one: Control, texts: Mapping[str, Iterator[str]]) -> str | None:
    text = next(texts.get(one.name, iter(())), None)
    if text is None:
        return None
    if one.kind == "textarea":
        return _tag("textarea", one.attributes) + "\n" + escape(text)
    return _tag(one.tag, one.attributes | {"value": text})


def _tag(tag: str, attributes: Attributes) -> str:
    said = [
        name if value is None else f'{name}="{escape(value)}"' for name, value in attributes.items()
    ]
    return f"<{' '.join([tag, *said])}>"
