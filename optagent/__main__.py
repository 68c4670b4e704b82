"""Lets `python -m optagent` be the console script."""

from optagent.cli.app import main

if __name__ == "__main__":
    main()
