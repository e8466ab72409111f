"""``python -m benchmark.cli``: the command where no script of it is installed."""

from benchmark.cli.entry import main

if __name__ == "__main__":
    main()
