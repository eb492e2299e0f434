"""One module per engine. Each runs as a process of its own: `python -m compare.engines.<name>`."""
