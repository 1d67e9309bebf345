"""For how many days things are lent."""

DAYS = {"book": 28, "film": 7, "game": 14}


def due(kind, day):
    """The day on which a thing lent on a day must be back; None for what is not lent."""
    return day + DAYS[kind] if kind in DAYS else None
