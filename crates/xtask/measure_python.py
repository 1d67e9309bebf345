"""Prints one row of python_measured.tsv for each package installed in a folder.

    PYTHON measure_python.py SITE_PACKAGES FOLDER_OF_DOWNLOADED_FILES
    PYTHON measure_python.py SITE_PACKAGES UV_LOCK      with the size and the day of the wheels that the lock names

PYTHON must be of the version that the row is to speak of: byte code differs from version to version by up to a half.
"""

import csv
import datetime
import importlib._bootstrap_external as bootstrap
import pathlib
import re
import sys
import tarfile
import tomllib
import warnings
import zipfile

from pip._vendor.packaging.requirements import Requirement

WEB = {".js", ".css", ".map", ".html", ".scss", ".less", ".svg", ".png", ".gif", ".jpg", ".ico", ".ttf", ".woff", ".woff2", ".eot", ".otf", ".swf"}
DOCS = {".md", ".rst", ".txt", ".pdf"}
# The days that hatchling and flit write into every archive, that builds may be repeated: these say nothing, ask a lock for the day.
FIXED = {(2020, 2, 2), (2016, 1, 1)}
COLUMNS = "name version python platform form file made installed py native web docs tests pyc tests_pyc files dependencies".split()


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def byte_code(path, place):
    """Bytes of the .pyc that pip writes for a source installed at `place`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(path.read_bytes(), place, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return 0
    return len(bootstrap._code_to_timestamp_pyc(code))


def made(path):
    """The day of the newest file in an archive, which is the day it was built, unless the builder set all of them to one."""
    if path.suffix == ".whl" or path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            newest = max(entry.date_time[:3] for entry in archive.infolist())
    else:
        with tarfile.open(path) as archive:
            newest = max(datetime.datetime.fromtimestamp(member.mtime, datetime.timezone.utc).timetuple()[:3] for member in archive)
    return "" if newest[0] < 1990 or newest in FIXED else "%04d-%02d-%02d" % newest


def required(metadata, extra=""):
    """What a package needs here, or what one of its extras adds."""
    every = [Requirement(line) for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.M)]
    return [r for r in every if not r.marker and not extra or r.marker and r.marker.evaluate({"extra": extra})]


def dependencies(metadata, site):
    """Names that the package needs here without extras of its own, with what it needs of the extras of others."""
    names = set()
    for one in required(metadata):
        names.add(normalized(one.name))
        for info in site.glob("*.dist-info") if one.extras else ():
            text = (info / "METADATA").read_text(errors="replace")
            if normalized(re.search(r"^Name: (.*)$", text, re.M).group(1).strip()) == normalized(one.name):
                names.update(normalized(r.name) for extra in one.extras for r in required(text, extra))
    return ",".join(sorted(names))


def measure(info, site, files):
    metadata = (info / "METADATA").read_text(errors="replace")
    name = normalized(re.search(r"^Name: (.*)$", metadata, re.M).group(1).strip())
    version = re.search(r"^Version: (.*)$", metadata, re.M).group(1).strip()
    wheel = (info / "WHEEL").read_text()
    tags = re.findall(r"^Tag: (.*)$", wheel, re.M)
    platform = next((t.rsplit("-", 1)[1] for t in tags if "linux" in t), "any")
    platform = re.sub(r"^(manylinux|musllinux|linux)[0-9_]*?_(x86_64|aarch64)$", r"\1_\2", platform)
    if (name, version) not in files:
        return None
    form, size, built = files[name, version]
    total = dict.fromkeys(COLUMNS[7:-1], 0)
    with open(info / "RECORD", newline="") as record:
        for relative, *_ in csv.reader(record):
            path = site / relative
            if relative.endswith(".pyc") or not path.is_file():
                continue
            length = path.stat().st_size
            parts = pathlib.PurePosixPath(relative).parts
            suffix = path.suffix.lower()
            testing = any(part in ("test", "tests") for part in parts[:-1])
            total["installed"] += length
            total["files"] += 1
            total["tests"] += length * testing
            if suffix == ".py":
                place = f"/usr/local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/{relative}"
                compiled = 0 if ".." in parts else byte_code(path, place)
                total["py"] += length
                total["pyc"] += compiled
                total["tests_pyc"] += compiled * testing
            elif suffix == ".so" or ".so." in path.name:
                total["native"] += length
            elif suffix in WEB:
                total["web"] += length
            elif not parts[0].endswith(".dist-info") and (suffix in DOCS or "docs" in parts[:-1] or "doc" in parts[:-1]):
                total["docs"] += length
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return [name, version, python, platform, form, size, built, *total.values(), dependencies(metadata, site)]


def downloaded(folder):
    """Form, bytes and day of each file in a folder, by name and version."""
    files = {}
    for path in sorted(folder.iterdir()):
        row = (path.stat().st_size, made(path))
        if path.suffix == ".whl":
            name, version = path.name.split("-")[:2]
            files[normalized(name), version] = ("wheel", *row)
        elif path.name.endswith((".tar.gz", ".zip")):
            name, version = re.sub(r"\.tar\.gz$|\.zip$", "", path.name).rsplit("-", 1)
            files.setdefault((normalized(name), version), ("sdist", *row))
    return files


def locked(lock):
    """The same of the wheels that a lock of one platform and one version of Python names."""
    files = {}
    for package in tomllib.loads(lock.read_text())["package"]:
        fitting = [one for one in package.get("wheels", ()) if "musllinux" not in one["url"]]
        if fitting:
            cpython = f"cp{sys.version_info[0]}{sys.version_info[1]}-"
            wheel = max(fitting, key=lambda one: cpython in one["url"])
            files[package["name"], package["version"]] = ("wheel", wheel["size"], wheel.get("upload-time", "")[:10])
    return files


def main(site, where):
    site, where = pathlib.Path(site), pathlib.Path(where)
    files = locked(where) if where.suffix == ".lock" else downloaded(where)
    for info in sorted(site.glob("*.dist-info")):
        row = measure(info, site, files)
        if row:
            print(*row, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
