from collections.abc import Iterator

import pytest
from django.utils.translation import override


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A test that visits pages in French leaves English to itself and to the next one."""
    with override("en-ca"):
        yield
