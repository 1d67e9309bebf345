from datetime import date

from dateutil.parser import isoparse

THINGS = {"umbrella": date(2026, 3, 1), "scarf": date(2026, 1, 15), "left glove": date(2026, 2, 2)}


def older_than(day):
    limit = isoparse(day).date()
    return sorted(name for name, found in THINGS.items() if found < limit)
