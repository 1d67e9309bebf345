from postage.rates import price


def test_a_heavy_letter():
    assert price("country", 51) == 150
