from lines import following


def test_the_last_stop_is_followed_by_the_first():
    assert following("3", "station") == "harbour"
