"""Pages as PDF, where the optional package WeasyPrint is installed; printing works without it.

The port knows a whole page of HTML and its style sheet. What it makes is tagged (PDF/UA-1), so that
it can be read aloud, and it fetches nothing from anywhere.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn


class NothingIsFetched(Exception):
    """Raised when a page for a PDF refers to something outside of itself."""


def is_available() -> bool:
    """Whether PDFs can be made here."""
    return find_spec("weasyprint") is not None


def pdf_of(html: str, *, style: str) -> bytes:
    """A page as a tagged PDF; its title and language are those of the page."""
    weasyprint: Any = import_module("weasyprint")
    document = weasyprint.HTML(string=html, url_fetcher=_refuse)
    pdf: bytes = document.write_pdf(
        stylesheets=[weasyprint.CSS(string=style, url_fetcher=_refuse)], pdf_variant="pdf/ua-1"
    )
    return pdf


def _refuse(url: str, *args: object, **kwargs: object) -> NoReturn:
    raise NothingIsFetched(url)
