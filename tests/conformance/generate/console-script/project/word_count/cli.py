"""The command."""

from collections import Counter
from importlib.resources import files

import click
from tabulate import tabulate


@click.command()
@click.option("--most", default=3, help="How many words to show.")
def main(most):
    """Shows the words of a poem that come most often."""
    text = files("word_count").joinpath("poem.txt").read_text()
    words = Counter(word.strip(".,").lower() for word in text.split())
    click.echo(tabulate(words.most_common(most), headers=["word", "times"]))
