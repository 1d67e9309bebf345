"""Says before the start whether the list can be read."""
from .things import THINGS

print(len(THINGS), "things are waiting")
