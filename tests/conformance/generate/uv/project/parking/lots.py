"""How full a car park is by the hour."""

LOTS = {"market": 120, "station": 340, "harbour": 80}


def free(name: str, hour: int) -> int:
    """Places that are free: half of them around noon, all at night."""
    busy = max(0, 6 - abs(hour - 12)) / 12
    return int(LOTS[name] * (1 - busy))
