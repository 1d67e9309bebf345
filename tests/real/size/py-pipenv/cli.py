from rich import print

print("[bold]hi[/bold]")
