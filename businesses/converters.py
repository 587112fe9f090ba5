"""Business and program numbers in addresses: anything of another shape is no such page."""

from django.urls.converters import StringConverter


class BN9Converter(StringConverter):
    """Nine digits, as in `/businesses/888316171/`."""

    regex = "[0-9]{9}"


class ExtensionConverter(StringConverter):
    """A program account extension, as in `/programs/RM0001/`."""

    regex = "RM[0-9]{4}"
