from library.shelf import Shelf


def test_titles_of_an_author():
    assert Shelf.read().titles("Eliot") == ["Middlemarch"]
