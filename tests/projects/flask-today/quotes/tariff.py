"""The tariff: a base price for each zone and a price for each started kilogram, in cents."""
from typing import NamedTuple


class Zone(NamedTuple):
    name: str
    base: int
    per_kilogram: int
    days: int


ZONES = {
    zone.name: zone
    for zone in (
        Zone("city", base=290, per_kilogram=40, days=1),
        Zone("country", base=490, per_kilogram=70, days=2),
        Zone("world", base=1290, per_kilogram=320, days=9),
    )
}

HEAVIEST_GRAMS = 31500


def price(zone, grams):
    """Price in cents of a parcel of `grams` grams to the zone of that name.

    Raises KeyError for an unknown zone and ValueError for a weight that is not carried.
    """
    if not 0 < grams <= HEAVIEST_GRAMS:
        raise ValueError(f"a parcel weighs from 1 to {HEAVIEST_GRAMS} grams")
    tariff = ZONES[zone]
    kilograms = -(-grams // 1000)
    return tariff.base + tariff.per_kilogram * kilograms
