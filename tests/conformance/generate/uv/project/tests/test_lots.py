from parking.lots import free


def test_all_places_are_free_at_night():
    assert free("market", 0) == 120
