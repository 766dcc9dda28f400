"""``python -m glaze.cli``: the same as the command ``glaze``."""

from glaze.cli.main import main

main()
