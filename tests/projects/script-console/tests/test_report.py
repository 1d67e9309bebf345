import report


def test_months_are_summed_up(capsys):
    report.main("data/sales.csv")
    assert "19.75" in capsys.readouterr().out
