from dataclasses import dataclass


@dataclass(frozen=True)
class Garage:
    name: str
    places: int
    taken: int

    @property
    def free(self):
        return self.places - self.taken


GARAGES = [Garage("opera", 320, 300), Garage("station", 610, 48)]


def find(name):
    return next((garage for garage in GARAGES if garage.name == name), None)


def rows():
    return [(garage.name, garage.free) for garage in GARAGES]
