"""What the people, the businesses and the goods of a made-up world are called."""

from decimal import Decimal
from typing import NamedTuple

GIVEN = (
    "Amélie", "Arjun", "Ava", "Benoît", "Chloé", "Daniel", "Élodie", "Emma", "Farah", "Gabriel",
    "Grace", "Hugo", "Ingrid", "Isabelle", "Jacob", "Joseph", "Kenji", "Laila", "Léa", "Liam",
    "Lucas", "Maria", "Maxime", "Mei", "Nadia", "Noah", "Olivia", "Omar", "Priya", "Quentin",
    "Rosalie", "Samuel", "Sofia", "Thomas", "Uma", "Victor", "Wei", "William", "Yasmine", "Zoé",
)  # fmt: skip

FAMILY = (
    "Ahmed", "Anderson", "Beaulieu", "Bergeron", "Campbell", "Chan", "Côté", "Desjardins", "Evans",
    "Fortin", "Fraser", "Gagnon", "Gill", "Girard", "Haddad", "Hébert", "Ivanova", "Johnson",
    "Kim", "Lavoie", "Leblanc", "MacDonald", "Martin", "Morin", "Nguyen", "O’Brien", "Okafor",
    "Patel", "Pelletier", "Reid", "Rossi", "Roy", "Sato", "Singh", "Smith", "Tremblay",
    "Villeneuve", "Walsh", "Wong", "Zhang",
)  # fmt: skip

QUALITIES = (
    "Northern", "Maple", "Prairie", "Atlantic", "Boreal", "Cedar", "Granite", "Harbour",
    "Laurentian", "Pacific", "Red River", "Rocky", "Silver", "Summit", "Tundra", "Western",
)  # fmt: skip

TRADES = (
    "Furniture", "Foods", "Textiles", "Machinery", "Steel", "Paper", "Plastics", "Electronics",
    "Footwear", "Instruments", "Ceramics", "Bicycles", "Lighting", "Toys", "Tools", "Chemicals",
)  # fmt: skip

PLACES = (
    ("Halifax", "NS", "B3H 1A1"),
    ("Québec", "QC", "G1R 4P5"),
    ("Montréal", "QC", "H2Y 1C6"),
    ("Ottawa", "ON", "K1P 1J1"),
    ("Toronto", "ON", "M5H 2N2"),
    ("Winnipeg", "MB", "R3C 0V8"),
    ("Saskatoon", "SK", "S7K 1J5"),
    ("Calgary", "AB", "T2P 1J9"),
    ("Vancouver", "BC", "V6B 1A1"),
    ("Moncton", "NB", "E1C 1E3"),
)
"""City, province and a postal code of it."""

STREETS = ("Wharf Street", "Mill Road", "King Street", "Station Avenue", "Canal Road", "Elm Drive")

OFFICES = ("0497", "0453", "0395", "0809", "0009", "0427")
VENDORS = ("Saigon Timber Works", "Hanse Handel GmbH", "Pearl River Exports", "Lakes Supply Co.")


class Good(NamedTuple):
    """What is imported: its classification, and what it is charged at."""

    hs_code: str
    description: str
    origin: str
    tariff_treatment: str
    unit: str
    duty: Decimal


GOODS = (
    Good("9403601000", "Oak dining tables", "VN", "2", "NMB", Decimal("0.095")),
    Good("6403990091", "Leather walking shoes", "IT", "31", "PAR", Decimal("0")),
    Good("8471300000", "Portable computers", "CN", "2", "NMB", Decimal("0")),
    Good("2204210010", "Red wine in bottles", "CL", "14", "LTR", Decimal("0")),
    Good("6109100029", "Cotton T-shirts", "BD", "2", "DZN", Decimal("0.18")),
    Good("8712000010", "Bicycles", "TW", "2", "NMB", Decimal("0.13")),
    Good("7318150090", "Steel screws and bolts", "UOH", "10", "KGM", Decimal("0")),
    Good("6911100000", "Porcelain tableware", "GB", "34", "KGM", Decimal("0.045")),
)
