"""Prints python_extras.tsv: what the extras of packages bring along on CPython 3.12, Linux x86-64, without what the package needs anyway.

    python3.12 read_extras.py DAY NAMES FILE...

NAMES lists the packages that the table is to speak of, one a line. A FILE is the METADATA of a package, a poetry.lock or a uv.lock; of
the versions of a package the newest counts. A uv.lock names only the extras that somebody asked for. Wants `packaging`, and a CPython
3.12 on Linux x86-64 to evaluate markers.
"""

import pathlib
import re
import sys
import tomllib

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

SOURCE = "metadata of the newest releases installed or read here, and poetry.lock and uv.lock files of public repositories to 2026-08-22"
# Extras for the people who work on the package itself.
DEVELOPERS = re.compile(
    r"(.*-)?(tests?|testing|unit-?tests?|pytest|tox|nox|dev.*|docs?|documentation|sphinx|rtd|lint|linting|linters?|typing|types?|"
    r"type-check|typecheck|mypy|pyright|bench|benchmarks?|ci|builds?|releases?|cov|cover|coverage|checks?|style|format|formatting|quality|"
    r"pre-commit|maintainer|publish|packaging|doc-?build|enabler|flake8|ruff|black|qa|examples?|tutorials?|hatch|docstest|nightly|"
    r"profiling|mypy-.*|tests?-.*|testing-.*|docs?-.*|lint-.*|typing-.*|unit|integration|integration-tests?|code-style|book)"
)
# Packages for developers alone.
TOOLS = re.compile(
    r"boto3-stubs.*|botocore-stubs|mypy-boto3.*|types-.*|pyobjc.*|.*-stubs|metricflow|setuptools|setuptools-scm|pytest.*|hatch.*|sphinx.*|"
    r"mypy|pip-tools|tox|nox|coverage|pylint|flake8.*|twine|build|wheel|hypothesis|pre-commit|ruff|black|isort|mkdocs.*|myst-.*|nbsphinx|"
    r"faker|pyinstaller|virtualenv|poetry.*|cibuildwheel|bumpver|commitizen|swebench|sglang"
)
# As many packages nobody asks for at once.
TOO_MANY = 60
# Extras that newer releases have no more: requirement files still name them, with older versions.
FORMER = {"gunicorn[eventlet]": {"eventlet"}, "typer[all]": {"rich", "shellingham"}}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def named(name, extras):
    """A package, with each extra that is asked of it."""
    name = normalized(name)
    return {f"{name}[{normalized(extra)}]" for extra in extras} or {name}


def holds(marker, extra):
    return marker is None or marker.evaluate({"extra": extra})


def of_metadata(text):
    """Name, version, needs and extras."""
    text = text.split("\n\n")[0]
    every = lambda field: re.findall(rf"^{field}: (.*)$", text, re.M)
    needs, extras = set(), {normalized(extra): set() for extra in every("Provides-Extra")}
    for line in every("Requires-Dist"):
        try:
            one = Requirement(line)
        except InvalidRequirement:
            continue
        if holds(one.marker, ""):
            needs |= {normalized(one.name)} | named(one.name, one.extras)
            continue
        for extra in extras:
            if holds(one.marker, extra):
                extras[extra] |= named(one.name, one.extras)
    yield every("Name")[0], every("Version")[0], needs, extras


def of_poetry(lock):
    """The same of each package; the markers of an extra's needs stand in the list of needs or, in newer locks, behind them."""
    for package in lock.get("package", ()):
        needs, optional, extras = set(), {}, {}
        for name, versions in package.get("dependencies", {}).items():
            for one in versions if isinstance(versions, list) else [versions]:
                one = one if isinstance(one, dict) else {}
                marker = Marker(one["markers"]) if one.get("markers") else None
                if one.get("optional"):
                    optional.setdefault(normalized(name), []).append(marker)
                elif holds(marker, ""):
                    needs |= {normalized(name)} | named(name, one.get("extras", ()))
        for extra, lines in package.get("extras", {}).items():
            extra = normalized(extra)
            brings = extras.setdefault(extra, set())
            for line in lines:
                name, asked = re.match(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?", line).groups()
                marker = Marker(line.split(";", 1)[1]) if ";" in line else None
                markers = optional.get(normalized(name), [None])
                of_others = any(one and "extra" in str(one) and f'"{extra}"' not in str(one) for one in markers)
                if holds(marker, extra) and (of_others or any(holds(one, extra) for one in markers)):
                    brings |= named(name, [one for one in (asked or "").split(",") if one.strip()])
        yield package["name"], package["version"], needs, extras


def of_uv(lock):
    """The same, with the extras that the lock made use of."""

    def brought(entries):
        names = set()
        for one in entries:
            marker = re.sub(r"extra\s*[!=]=\s*'[^']*'", "python_version >= '0'", one.get("marker", ""))
            if not marker or Marker(marker).evaluate({"extra": ""}):
                names |= named(one["name"], one.get("extra", ()))
        return names

    for package in lock.get("package", ()):
        if "registry" in package.get("source", {}) and "version" in package:
            optional = package.get("optional-dependencies", {})
            needs = brought(package.get("dependencies", ()))
            yield package["name"], package["version"], needs | {one.split("[")[0] for one in needs}, {
                normalized(extra): brought(entries) for extra, entries in optional.items()
            }


def read(files):
    """Version, needs and extras of the newest version of each package, and of uv's extras what the others lack."""
    whole, used = {}, []
    for path in map(pathlib.Path, files):
        text = path.read_text(errors="replace")
        try:
            if path.name == "METADATA":
                found = list(of_metadata(text))
            elif path.name.endswith("poetry.lock"):
                found = list(of_poetry(tomllib.loads(text)))
            else:
                used += of_uv(tomllib.loads(text))
                continue
        except (tomllib.TOMLDecodeError, IndexError, AttributeError):
            continue
        for name, version, needs, extras in found:
            newer(whole, name, version, needs, extras)
    for name, version, needs, extras in used:
        try:
            version = Version(version)
        except InvalidVersion:
            continue
        known = whole.setdefault(normalized(name), (version, needs, {}))
        if known[0] <= version:
            for extra, brings in extras.items():
                known[2].setdefault(extra, brings)
    return whole


def newer(whole, name, version, needs, extras):
    try:
        version = Version(version)
    except InvalidVersion:
        return
    known = whole.get(normalized(name))
    if not known or (not version.is_prerelease, version) > (not known[0].is_prerelease, known[0]):
        whole[normalized(name)] = (version, needs, extras)


def resolved(name, extras, extra, seen=()):
    """What an extra brings, with what it takes of other extras of its own package."""
    names = set()
    for one in extras.get(extra, ()):
        if one.startswith(name + "["):
            own = one[len(name) + 1 : -1]
            names |= resolved(name, extras, own, (*seen, extra)) if own not in seen else set()
        elif one != name:
            names.add(one)
    return names


def main(day, listed, *files):
    listed = set(map(normalized, pathlib.Path(listed).read_text().split()))
    rows = dict(FORMER)
    for name, (_, needs, extras) in read(files).items():
        for extra in extras:
            if name not in listed or TOOLS.fullmatch(name) or DEVELOPERS.fullmatch(extra) or extra.startswith("instruments"):
                continue
            brings = resolved(name, extras, extra) - needs
            brings -= {one.split("[")[0] for one in brings if "[" in one}
            if len(brings) <= TOO_MANY:
                rows[f"{name}[{extra}]"] = brings
    print(f"{day}\t{SOURCE}\nname\tdependencies")
    for name in sorted(rows):
        print(name, ",".join(sorted(rows[name])), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
