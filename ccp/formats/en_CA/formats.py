"""Canadian English as the portal writes it: 5,000, as `pages.formats.whole` does."""

THOUSAND_SEPARATOR = ","
