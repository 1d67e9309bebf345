"""Sums up a list of sales by month."""
import csv
import sys
from collections import defaultdict

from dateutil import parser
from tabulate import tabulate


def main(path):
    months = defaultdict(float)
    with open(path) as file:
        for row in csv.DictReader(file):
            months[parser.parse(row["date"]).strftime("%Y-%m")] += float(row["amount"])
    print(tabulate(sorted(months.items()), headers=["month", "amount"], floatfmt=".2f"))


if __name__ == "__main__":
    main(sys.argv[1])
