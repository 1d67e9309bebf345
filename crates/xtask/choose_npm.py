"""Chooses of what `measure_npm.py` measured the rows that tell most of what people install: npm_measured.tsv.

    python3 choose_npm.py ROWS DEPENDENTS DOWNLOADS MEASURED... > npm_measured.tsv

DEPENDENTS and DOWNLOADS: names of packages, a line each, the one that most packages depend on, or that is downloaded most, first (the
package `npm-high-impact` has both lists). A row is worth what the error of all versions of its package shrinks by, each weighted by how
likely it is to be asked for: by projects that took the newest version of their day, and by versions of other packages that they took, the
more recent the day the likelier. The newest row of a package also tells what it needs, where no lock file does.
"""

import collections
import datetime
import heapq
import json
import pathlib
import re
import sys

from npm_versions import key, line, split

# What is taken of a package without a row, and of all that one needs without a row; more than `MOST` needs of one package are no worse.
GUESS, NEEDS, MOST = 60_000, 150_000, 2_000_000
# A version without a row of its own is never quite sure, whatever the next one says.
UNSURE = 0.03
# Bytes of a packed row: the first of a package has its name and its needs.
FIRST, NEXT = 27, 14
# How often packages are asked for by name that images of servers install (npm_served.txt, from the Dockerfiles and manifests that we have
# read), where the package that others depend on most is asked for 0.8 times.
SERVED = 1.0
# What is asked for more often has its newest row in any case.
KNOWN = 0.2
# Of the projects that are built today half have locked their packages within so many days.
HALF = 1_000
# What packages need of packages that need others, so many times over.
ROUNDS = 6
ELSEWHERE = re.compile(
    r"darwin|win32|windows-|freebsd|android-arm|netbsd|openbsd|sunos|aix-ppc|ppc64|riscv64|s390x|-ia32|mips64|loong64|openharmony|-wasm32"
    r"|armv7|linux-arm$|linux-arm-|musleabi|powerpc|i686|-win-x64|x86_64-pc-win|fsevents"
)


def speaks_for(rows, version):
    """As `facts/npm.rs` has it."""
    if version in rows:
        return version
    same = [one for one in rows if line(one) == line(version)]
    before = [one for one in same if key(one) <= key(version)]
    after = [one for one in rows if key(one) > key(version)]
    if before:
        return max(before, key=key)
    return min(same or after, key=key) if same or after else max(rows, key=key)


def is_for_linux(name, row):
    def words(field):
        value = row.get(field) or []
        return [value] if isinstance(value, str) else value

    def allows(words, wanted):
        return not words or any(one in words for one in wanted) or any(one.startswith("!") for one in words)

    system, processor = words("os"), words("cpu")
    fits = "!linux" not in system and allows(system, ["linux"]) and allows(processor, ["x64", "arm64"])
    return fits and not ELSEWHERE.search(name)


def need(name, wanted):
    """`name`, or `name@1` where every version of the range starts with that."""
    alias = re.match(r"npm:((?:@[^/]+/)?[^@]+)@(.*)", wanted)
    if alias:
        name, wanted = alias.groups()
    start = re.match(r"[\^~=v ]*(\d+)(?:\.(\d+))?", wanted)
    if not start or "||" in wanted or wanted.startswith((">", "<")):
        return name
    major, minor = start.groups()
    return f"{name}@{major}" if major != "0" or minor is None else f"{name}@0.{minor}"


def shares(rows):
    """Of each version the share of the projects that have it: half of them locked it when it was the newest, half take today what is the
    newest of its line."""
    now, days = datetime.date.today().toordinal(), {}
    until = now
    for version in sorted(rows, key=key, reverse=True):
        since = min(datetime.date.fromisoformat(rows[version]["day"]).toordinal(), until)
        days[version] = 2 ** -((now - until) / HALF) - 2 ** -((now - since) / HALF) + 1e-6
        until = since
    ends = {line(version): version for version in sorted(rows, key=key)}
    found = dict.fromkeys(rows, 0)
    for version, share in days.items():
        found[version] += share / 2
        found[ends[line(version)]] += share / 2
    return {version: share / sum(days.values()) for version, share in found.items()}


class Chooser:
    def __init__(self, packages, dependents, downloads, served):
        self.packages, self.dependents = packages, dependents
        self.downloads = downloads
        self.ends = {
            name: {line(version): version for version in sorted(one["rows"], key=key)} for name, one in packages.items()
        }
        # How often a package is asked for by name where no lock file says what it brings along, and what then comes along.
        self.named = {name: 0.8 / (1 + at / 300) for name, at in dependents.items()}
        self.named.update(dict.fromkeys(served, SERVED))
        self.brought = collections.Counter()
        self.closure = {}
        for name, one in packages.items():
            all_of_it = self.closure_of(name, one["latest"])
            self.closure[name] = sum(packages[other]["rows"][version]["unpacked"] for other, version in all_of_it)
            for other, _ in all_of_it:
                self.brought[other] += self.named.get(name, 0)
        self.versions = self.likelihood()

    def needs(self, name, version):
        """What it needs, and what comes along where it fits the platform."""
        row = self.packages[name]["rows"][version]
        needed = {one: wanted for one, wanted in row["dependencies"].items() if one not in row["optional"]}
        for peer in row["peers"]:
            needed.setdefault(peer, "*")
        outside = ("file:", "git", "http", "workspace:", "link:")
        needed = {need(*one) for one in needed.items() if not one[1].startswith(outside)}
        optional = {need(*one) for one in row["optional"].items() if not ELSEWHERE.search(one[0])}
        return sorted(needed), sorted(optional)

    def closure_of(self, name, version):
        seen, todo = {(name, version)}, [(name, version)]
        while todo and len(seen) < 1500:
            needed, optional = self.needs(*todo.pop())
            for word in needed + [one for one in optional if "arm64" not in one and "musl" not in one]:
                other, start = split(word)
                if other not in self.packages:
                    continue
                numbers = tuple(int(part) for part in start.split(".")) if start else None
                found = other, self.ends[other].get(numbers, self.packages[other]["latest"])
                if found not in seen:
                    seen.add(found)
                    todo.append(found)
        return seen - {(name, version)}

    def popularity(self, name):
        """Fitted to how often the packages of the list of downloads stand in lock files."""
        often = 12 * (1 + self.downloads.get(name, 16_000) / 700) ** -1.9
        if name in self.dependents:
            often = max(often, 1.5 / (1 + self.dependents[name] / 300), 0.08)
        return max(often, 0.02)

    def likelihood(self):
        """Of each package the share of each version among those that are asked for."""
        direct, of_line = {}, {}
        for name, one in self.packages.items():
            direct[name] = shares(one["rows"])
            lines = collections.defaultdict(dict)
            for version, row in one["rows"].items():
                lines[line(version)][version] = row
            of_line[name] = {numbers: shares(rows) for numbers, rows in lines.items()}
        asked = {
            name: {version: (self.named.get(name, 0) + 0.01) * share for version, share in found.items()}
            for name, found in direct.items()
        }
        first = {name: dict(found) for name, found in asked.items()}
        for _ in range(ROUNDS):
            then = {name: dict(found) for name, found in first.items()}
            for name, found in asked.items():
                for version, often in found.items():
                    if often < 1e-5:
                        continue
                    row = self.packages[name]["rows"][version]
                    for other, wanted in {**row["dependencies"], **row["optional"]}.items():
                        if wanted in then.get(other, {}):
                            then[other][wanted] += often
                            continue
                        other, start = split(need(other, wanted))
                        if other not in then:
                            continue
                        numbers = tuple(int(part) for part in start.split(".")) if start else None
                        for fitting, share in of_line[other].get(numbers, direct[other]).items():
                            then[other][fitting] += often * share
            asked = then
        return {
            name: {version: often / sum(found.values()) for version, often in found.items()}
            for name, found in asked.items()
        }

    def error(self, name, chosen):
        rows, error = self.packages[name]["rows"], 0
        for version, share in self.versions[name].items():
            if version not in chosen:
                told = rows[speaks_for(chosen, version)]["unpacked"] if chosen else GUESS
                unpacked = rows[version]["unpacked"]
                error += share * (abs(unpacked - told) + UNSURE * unpacked)
        return error

    def choose(self, count):
        chosen, candidates = collections.defaultdict(list), []

        def consider(name):
            """The best row that the package has left. One that is asked for by its name begins with its newest version."""
            have, brought = chosen[name], min(self.brought[name], 12)
            often, error = self.popularity(name) + brought, self.error(name, have)
            needs, start = 0, []
            if not have:
                needs = min(abs(self.closure[name] - NEEDS), MOST) * (self.named.get(name, 0) + brought)
                start = [self.packages[name]["latest"]] if name in self.named else []
            choices = [[*start, one] for one in self.versions[name] if one not in [*have, *start]] + [start] * bool(start)
            gains = []
            for more in choices:
                cost = NEXT * len(more) + (0 if have else FIRST - NEXT)
                gains.append((((error - self.error(name, have + more)) * often + needs) / cost, more))
            gain, more = max(gains, default=(0, []))
            if gain > 0:
                heapq.heappush(candidates, (-gain, name, more))

        for name, often in self.named.items():
            if name in self.packages and often > KNOWN:
                chosen[name].append(self.packages[name]["latest"])
                count -= 1
        for name in self.packages:
            consider(name)
        while candidates and count > 0:
            _, name, more = heapq.heappop(candidates)
            chosen[name] += more
            count -= len(more)
            consider(name)
        return {name: sorted(rows, key=key) for name, rows in chosen.items() if rows}

    def rows(self, chosen):
        """Of older lines only those tell their needs that are asked for much, or that bring other programs for the platform; the others
        `=`, as the next newer row."""
        for name, versions in sorted(chosen.items()):
            names = [split(word)[0] for word in self.needs(name, versions[-1])[1]]
            for version, after in zip(versions, [*versions[1:], None]):
                needed, optional = self.needs(name, version)
                ends = after is None or line(after) != line(version)
                differs = [split(word)[0] for word in optional] != names
                if after is None or (ends and (differs or self.named.get(name, 0) > 0.4)):
                    needs = [",".join(needed), ",".join(optional)]
                else:
                    needs = ["=", ""]
                row = self.packages[name]["rows"][version]
                digits = max(len(str(row["tarball"])) - 3, 0)
                tarball = round(row["tarball"], -digits)
                yield [name, version, str(row["unpacked"]), str(tarball), row["native"], *needs]


def read(paths):
    """Stable versions up to the newest, of packages that Linux installs."""
    packages = {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for one in map(json.loads, lines):
                packages.setdefault(one["name"], {"latest": None, "rows": {}})["rows"].update(one["rows"])
                packages[one["name"]]["latest"] = one["latest"]
    kept = {}
    for name, one in packages.items():
        newest, rows = one["latest"], one["rows"]
        if newest not in rows:
            newest = max(rows, key=key, default=None)
        rows = {at: row for at, row in rows.items() if at == newest or (key(at) <= key(newest) and "-" not in at)}
        if rows and is_for_linux(name, rows[newest]):
            kept[name] = {"latest": newest, "rows": rows}
    return kept


def main():
    count, dependents, downloads, *measured = sys.argv[1:]
    ranks = []
    for path in (dependents, downloads):
        with open(path, encoding="utf-8") as names:
            ranks.append({name: at for at, name in enumerate(names.read().split())})
    served = pathlib.Path(__file__).with_name("npm_served.txt").read_text(encoding="utf-8").split()
    chooser = Chooser(read(measured), *ranks, served)
    print("name\tversion\tunpacked\ttarball\tnative\tdependencies\toptional")
    for row in chooser.rows(chooser.choose(int(count))):
        print("\t".join(row))


main()
