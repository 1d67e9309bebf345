BASE = {"country": 95, "world": 125}


def price(zone, grams):
    return BASE[zone] + 55 * ((grams - 1) // 50)
