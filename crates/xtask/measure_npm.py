"""Measures archives of npm packages: a line of JSON for each package.

    python3 measure_npm.py NAMES >> MEASURED        `name` or `name@version`, a line each

Of each package the newest version of its six newest lines (a major version, below 1 a minor one), and those that are named. Of large
packages also versions between the oldest and the newest of the three newest lines. What `choose_npm.py` takes of it is the table.
"""

import concurrent.futures
import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
import zlib

from npm_versions import key, line, split

LARGE = 300_000
MOST_PACKED, MOST_UNPACKED = 80_000_000, 1_500_000_000


def read(url, accept="*/*"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=30) as answer:
        body = answer.read(MOST_PACKED + 1)
    if len(body) > MOST_PACKED:
        raise ValueError(f"more than {MOST_PACKED} bytes")
    return body


def files(archive):
    """Name and content of each file of a tar archive, as npm unpacks it: of two with one name the later."""
    found, at, long_name = {}, 0, None
    while at + 512 <= len(archive):
        head = archive[at : at + 512]
        at += 512
        if head[:1] == b"\0":
            continue
        field, kind = head[124:136], head[156:157]
        size = int.from_bytes(field[1:], "big") if field[0] & 128 else int(field.strip(b"\0 ") or b"0", 8)
        body = archive[at : at + size]
        at += (size + 511) // 512 * 512
        if kind == b"x":
            path = re.search(rb" path=([^\n]*)\n", body)
            long_name = path[1] if path else None
        elif kind == b"L":
            long_name = body.rstrip(b"\0")
        elif kind in (b"0", b"\0", b"7"):
            prefix = head[345:500].split(b"\0")[0] if head[257:262] == b"ustar" else b""
            name = long_name or b"/".join(part for part in (prefix, head[:100].split(b"\0")[0]) if part)
            found[name.split(b"/", 1)[-1]] = body
            long_name = None
    return found


def measure(url):
    packed = read(url)
    unpacking = zlib.decompressobj(31)
    archive = unpacking.decompress(packed, MOST_UNPACKED)
    if not unpacking.eof:
        raise ValueError(f"cut short, or more than {MOST_UNPACKED} bytes unpacked")
    found = files(archive)
    manifest = json.loads(found.get(b"package.json", b"{}").decode("utf-8-sig", errors="replace"))
    scripts = manifest.get("scripts") or {}
    runs = any(script in scripts for script in ("preinstall", "install", "postinstall"))
    optional_peers = manifest.get("peerDependenciesMeta") or {}
    return {
        "unpacked": sum(map(len, found.values())),
        "tarball": len(packed),
        "native": "gyp" if b"binding.gyp" in found else "script" if runs else "",
        "dependencies": manifest.get("dependencies") or {},
        "optional": manifest.get("optionalDependencies") or {},
        "peers": [
            name
            for name in manifest.get("peerDependencies") or {}
            if not (optional_peers.get(name) or {}).get("optional")
        ],
        "os": manifest.get("os"),
        "cpu": manifest.get("cpu"),
    }


def between(stable, newest):
    """Starts of minor versions of the three newest lines, nine of the newest line, five and three of the others."""
    lines = list(dict.fromkeys(line(one) for one in reversed(stable) if key(one) <= key(newest)))
    picked = []
    for wanted, most in zip(lines[:3], (9, 5, 3)):
        starts = {}
        for one in stable:
            if line(one) == wanted:
                starts.setdefault(key(one)[: len(wanted) + 1], one)
        starts = list(starts.values())
        if len(starts) > most:
            starts = [starts[round(at * (len(starts) - 1) / (most - 1))] for at in range(most)]
        picked += starts
    return picked


def package(registry, name, named):
    document = json.loads(read(registry + urllib.parse.quote(name, safe="@"), "application/vnd.npm.install-v1+json"))
    versions, newest = document["versions"], document["dist-tags"]["latest"]
    days = document.get("time", {})
    stable = sorted((one for one in versions if re.fullmatch(r"\d+\.\d+\.\d+", one)), key=key)
    ends = {line(one): one for one in stable}
    of_lines = sorted(ends.values(), key=key)
    wanted = [one for one in of_lines if key(one)[0]][-6:] + [one for one in of_lines if not key(one)[0]][-3:]
    rows = {}

    def take(picked):
        for version in picked:
            if version in versions and version not in rows:
                try:
                    rows[version] = measure(versions[version]["dist"]["tarball"])
                    rows[version]["day"] = days.get(version, "2020-01-01")[:10]
                except (OSError, ValueError, zlib.error) as error:
                    print(f"{name} {version}: {error}", file=sys.stderr)

    take([*wanted, newest, *named])
    if max((row["unpacked"] for row in rows.values()), default=0) > LARGE:
        take(between(stable, newest))
    return {"name": name, "latest": newest, "rows": rows}


def main():
    wanted = {}
    with open(sys.argv[1], encoding="utf-8") as names:
        for word in filter(None, map(str.strip, names)):
            name, version = split(word)
            wanted.setdefault(name, []).extend([version] if version else [])
    # The one that npm is configured to use, with a slash at its end.
    asked = subprocess.run(["npm", "config", "get", "registry"], check=True, capture_output=True, text=True)
    registry = asked.stdout.strip().rstrip("/") + "/"
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        found = {pool.submit(package, registry, *one): one[0] for one in wanted.items()}
        for done in concurrent.futures.as_completed(found):
            try:
                print(json.dumps(done.result()), flush=True)
            except (OSError, ValueError, KeyError) as error:
                print(f"{found[done]}: {error}", file=sys.stderr)


main()
