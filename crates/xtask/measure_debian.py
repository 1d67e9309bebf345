"""Prints a row of debian_files.tsv for each package installed on this Debian machine.

    python3 measure_debian.py TABLE...      the package tables, unpacked: packages of other origin are left out

`files_kib`: the package's files without what its scripts make; `excluded_kib`: those among them that the -slim images leave out;
`installed_kib`: the Installed-Size of that version.
The machine must have its documentation, manuals and translations.
"""

import os
import re
import stat
import subprocess
import sys

EXCLUDED = re.compile(r"^/usr/share/(doc/(?!.*/copyright$)|man/|locale/|info/|groff/)")


def ask(*arguments):
    return subprocess.run(["dpkg-query", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def files(package):
    total = excluded = 0
    seen = set()
    for path in ask("-L", package):
        try:
            entry = os.lstat(path)
        except OSError:
            continue
        if not stat.S_ISREG(entry.st_mode) or (entry.st_dev, entry.st_ino) in seen:
            continue
        seen.add((entry.st_dev, entry.st_ino))
        total += entry.st_size
        excluded += entry.st_size * bool(EXCLUDED.match(path))
    return total, excluded


def main(tables):
    known = {}
    for table in tables:
        with open(table) as rows:
            for row in list(rows)[2:]:
                # A row of two columns tells who provides a virtual package.
                columns = row.split("\t")
                if len(columns) > 2:
                    known[columns[0]] = int(columns[2])
    for row in ask("-W", "-f", "${Package}\\t${binary:Package}\\t${Installed-Size}\\t${db:Status-Abbrev}\\n"):
        name, package, size, status = row.split("\t")
        # A package of the same name from elsewhere has another size.
        if status.startswith("ii") and abs(known.get(name, 0) - int(size or 0)) <= int(size or 0) / 10:
            total, excluded = files(package)
            print(name, round(total / 1024), round(excluded / 1024), size, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
