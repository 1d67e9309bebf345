from app.convert import convert


def test_three_teaspoons_are_a_tablespoon():
    assert convert(3, "teaspoon", "tablespoon") == 1
