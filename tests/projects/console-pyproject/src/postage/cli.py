import click
from rich.console import Console

from postage.rates import price


@click.command()
@click.option("--to", "zone", default="country")
@click.argument("grams", type=int)
def main(zone, grams):
    """Says what a letter of GRAMS costs."""
    Console(width=60).print(f"{grams} g to {zone}: {price(zone, grams) / 100:.2f}")
