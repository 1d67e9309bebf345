"""Prints rows of npm_measured.tsv for the packages below folders that `npm install --ignore-scripts` made.

    python3 measure_npm.py NODE_MODULES...

A need is written with its major version (below 1: and its minor) where its range gives one.
"""

import json
import pathlib
import re
import sys


def need(name, wanted):
    """`name`, or `name@1` where every version of the range starts with that."""
    wanted = re.sub(r"^npm:.*@(?=[^@]*$)", "", wanted)
    version = re.match(r"[\^~=v ]*(\d+)(?:\.(\d+))?", wanted)
    if not version:
        return name
    major, minor = version.groups()
    return f"{name}@{major}" if major != "0" or minor is None else f"{name}@0.{minor}"


def packages(modules):
    """Every package folder below a `node_modules`, nested ones too."""
    for folder in sorted(modules.iterdir()):
        inner = sorted(folder.iterdir()) if folder.name.startswith("@") else [folder]
        for package in inner:
            if not package.name.startswith(".") and (package / "package.json").is_file():
                yield package
                if (package / "node_modules").is_dir():
                    yield from packages(package / "node_modules")


def measure(package):
    manifest = json.loads((package / "package.json").read_text(errors="replace"))
    name, version = manifest.get("name"), manifest.get("version")
    if not name or not version:
        return None
    nested = package / "node_modules"
    files = [one for one in package.rglob("*") if one.is_file() and not one.is_symlink() and nested not in one.parents]
    scripts = manifest.get("scripts") or {}
    native = "gyp" if any(one.name == "binding.gyp" for one in files) else ""
    if not native and any(script in scripts for script in ("preinstall", "install", "postinstall")):
        native = "script"
    optional = manifest.get("optionalDependencies") or {}
    needed = {name: wanted for name, wanted in (manifest.get("dependencies") or {}).items() if name not in optional}
    lists = [",".join(sorted(need(*one) for one in some.items())) for some in (needed, optional)]
    return (name, version, str(sum(one.stat().st_size for one in files)), str(len(files)), native, *lists)


def main():
    rows = {}
    for modules in sys.argv[1:]:
        for package in packages(pathlib.Path(modules)):
            row = measure(package)
            if row:
                rows[row[:2]] = row
    for key in sorted(rows):
        print("\t".join(rows[key]))


main()
