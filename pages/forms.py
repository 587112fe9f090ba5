"""The base of every form, and how forms are drawn.

Text is made regular before any field sees it: compatibility forms become plain ones (full-width
digits, ligatures), invisible formatting that comes along with copied text is dropped, ends are
trimmed. Nothing longer than its field may be is looked at, so that no input costs more than the
field allows. Control characters and marks that turn the direction of text are refused in words,
and the form comes back without them, since nobody can take out what cannot be seen.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from pages.formats import is_french

# What a field without a length of its own may hold.
MOST_CHARACTERS = 1000
TOO_LONG = _("Use at most %(limit_value)d characters.")
NOT_AN_ADDRESS = _("Enter a whole e-mail address, for example name@business.ca.")
NOT_OFFERED = _("Choose from the answers shown.")
CONTROL_CHARACTERS = _(
    "The text held characters that cannot be seen. "
    "They are now removed: check it and send it again."
)
# Embeddings, overrides and isolates: text that reads otherwise than it is stored.
TURNS_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Renderer(TemplatesSetting):
    """Draws forms, form sets and fields with the portal's templates."""

    form_template_name = "django/forms/form.html"
    formset_template_name = "django/forms/formset.html"
    field_template_name = "django/forms/field.html"


class DayInput(forms.DateInput):
    """A day, as the browser's own date input; its value is `YYYY-MM-DD` in both languages."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day typed or picked as `YYYY-MM-DD`, in the years 1900 to 2199."""

    widget = DayInput
    default_error_messages = {
        "invalid": _("Enter a day as year-month-day, for example 2027-03-31."),
        "year": _("Enter a year from 1900 to 2199."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_python(self, value: Any) -> date | None:
        """The day in `value`; a year that no record of the portal can have is refused."""
        on = super().to_python(value)
        if on is not None and not 1900 <= on.year <= 2199:
            raise ValidationError(self.error_messages["year"], code="year")
        return on


class AmountField(forms.CharField):
    """An amount in Canadian dollars as people write it in either language.

    `1,234.56`, `$1234.56`, `1 234,56 $` and `-12.5` are read; the cleaned value is a `Decimal` of
    two places, or None. At most 12 digits stand before the cents.
    """

    default_error_messages = {
        "invalid": _("Enter an amount in dollars and cents, such as 1234.56."),
        "negative": _("Enter an amount that is not negative."),
        "zero": _("Enter an amount other than 0.00."),
    }
    WRITTEN = re.compile(r"(-?)((?:[0-9]{1,3}(?:[ ,'’][0-9]{3})+)|[0-9]+)(?:[.,]([0-9]{1,2}))?")
    MARKS = re.compile(r"CAD|CA(?=\s*\$)|\$", re.I)
    MOST_DIGITS = 12

    def __init__(
        self, *, may_be_negative: bool = False, may_be_zero: bool = True, **options: Any
    ) -> None:
        self.may_be_negative, self.may_be_zero = may_be_negative, may_be_zero
        options.setdefault(
            "widget",
            forms.TextInput({"autocomplete": "off", "spellcheck": "false", "size": "20"}),
        )
        super().__init__(max_length=40, **options)

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        return self._checked(self._read(text)) if text else None

    def _read(self, text: str) -> Decimal:
        bare = self.MARKS.sub("", text.replace("−", "-"))
        parts = self.WRITTEN.fullmatch(re.sub(r"\s+", " ", bare).strip().replace("- ", "-"))
        if parts is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        sign, dollars, cents = parts.groups()
        digits = re.sub(r"[^0-9]", "", dollars)
        if len(digits.lstrip("0")) > self.MOST_DIGITS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        amount = Decimal(f"{digits}.{(cents or '0'):0<2}")
        return -amount if sign and amount else amount

    def _checked(self, amount: Decimal) -> Decimal:
        if amount < 0 and not self.may_be_negative:
            raise ValidationError(self.error_messages["negative"], code="negative")
        if not amount and not self.may_be_zero:
            raise ValidationError(self.error_messages["zero"], code="zero")
        return amount

    def prepare_value(self, value: Any) -> Any:
        """An amount as it is typed in the language of the page; what was posted as it was."""
        if not isinstance(value, Decimal):
            return value
        text = f"{value:.2f}"
        return text.replace(".", ",") if is_french() else text


class RegularBoundField(BoundField):
    """A field whose posted text is regular and no longer than the field allows."""

    def __init__(self, form: forms.BaseForm, field: forms.Field, name: str) -> None:
        super().__init__(form, field, name)
        if isinstance(field, forms.CharField):
            _make_strict(field)
        if isinstance(field, forms.EmailField):
            field.error_messages.setdefault("invalid", NOT_AN_ADDRESS)
        if isinstance(field, forms.ChoiceField):
            _say_what_is_offered(field)

    @property
    def data(self) -> Any:
        """The posted value; text and lists of text are made regular, files and passwords kept."""
        posted = super().data
        if isinstance(self.field.widget, forms.PasswordInput):
            return posted
        most = getattr(self.field, "max_length", None) or MOST_CHARACTERS
        if isinstance(posted, str):
            return regular(posted, most=most, strip=getattr(self.field, "strip", True))
        if isinstance(posted, list):
            return [regular(text, most=most) for text in posted if isinstance(text, str)]
        return posted

    def value(self) -> Any:
        """What the input shows: the stored value or the posted one, without what is refused."""
        shown = super().value()
        if not isinstance(shown, str):
            return shown
        allowed = _allowed(self.field)
        return "".join(letter for letter in shown if not _is_refused(letter, allowed))


class PortalForm(forms.Form):
    """The base of every form of the portal."""

    bound_field_class = RegularBoundField

    def unjudged(self) -> Self:
        """The form with what was posted and no word on it: for a post that only looks further."""
        self._errors = ErrorDict()
        return self


def _make_strict(field: forms.CharField) -> None:
    """Let `field` refuse what is too long and what cannot be seen, each with one plain error."""
    field.error_messages.setdefault("max_length", TOO_LONG)
    validators = [
        validator
        for validator in field.validators
        if not isinstance(validator, ProhibitNullCharactersValidator)
    ]
    if field.max_length is None:
        validators.append(MaxLengthValidator(MOST_CHARACTERS))
    field.validators = [partial(refuse_unseen, allowed=_allowed(field)), *validators]


def _say_what_is_offered(field: forms.ChoiceField) -> None:
    """Let `field` refuse an answer that its page does not show in plain words, its own or these."""
    for code, raw in forms.MultipleChoiceField.default_error_messages.items():
        if field.error_messages.get(code) == raw:
            field.error_messages[code] = NOT_OFFERED


def regular(text: str, *, most: int, strip: bool = True) -> str:
    """`text` in its compatibility form (NFKC), lines ended by one character, trimmed.

    A text that cannot fit into `most` characters is cut to one more than that before any work,
    which is enough to be refused and to be shown again.
    """
    if len(text) > 4 * most + 100:
        return text.lstrip()[:most] + "…"
    if _is_plain(text):
        return text.strip() if strip else text
    plain = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    seen = "".join(letter for letter in plain if not _is_dropped(letter))
    return seen.strip() if strip else seen


# Letters and marks that Unicode lets a page leave out, and the braille pattern without a dot.
FILLERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)


def _is_plain(text: str) -> bool:
    """Whether all of it is seen, and is regular already: most text, told without a look at each."""
    return text.isascii() and text.isprintable()


def _is_dropped(letter: str) -> bool:
    """Whether `letter` is never seen: formatting (zero width, soft hyphen) or a blank filler."""
    is_formatting = unicodedata.category(letter) == "Cf" and letter not in TURNS_DIRECTION
    return is_formatting or letter in FILLERS


def refuse_unseen(text: str, *, allowed: str = "") -> None:
    """Refuse control characters but those `allowed`, and marks that turn the direction of text."""
    if not _is_plain(text) and any(_is_refused(letter, allowed) for letter in text):
        raise ValidationError(CONTROL_CHARACTERS, code="control_characters")


def _allowed(field: forms.Field) -> str:
    """The control characters that may stand in `field`: in a text of several lines, its lines."""
    return "\n\t" if isinstance(field.widget, forms.Textarea) else ""


def _is_refused(letter: str, allowed: str) -> bool:
    if letter in TURNS_DIRECTION:
        return True
    return unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} and letter not in allowed
