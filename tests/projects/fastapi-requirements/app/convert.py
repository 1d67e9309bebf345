"""Volumes in a kitchen, in millilitres."""

UNITS = {"ml": 1, "teaspoon": 5, "tablespoon": 15, "cup": 250, "litre": 1000}


def convert(amount, source, target):
    return round(amount * UNITS[source] / UNITS[target], 3)
