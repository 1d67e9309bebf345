"""Versions of npm packages, for `measure_npm.py` and `choose_npm.py`."""

import re


def key(version):
    """What versions are ordered by; a pre-release counts as its version."""
    core = re.split(r"[-+]", version)[0].split(".")[:3]
    return tuple(int(part) if part.isdigit() else 0 for part in core)


def line(version):
    """What may break nothing within it: a major version, below 1 a minor one."""
    numbers = key(version)
    return numbers[:1] if numbers[0] else numbers[:2]


def split(word):
    """`name@version`, or a name alone with an empty version; a scope starts with `@` too."""
    name, _, version = word.rpartition("@") if "@" in word[1:] else (word, "", "")
    return name, version
