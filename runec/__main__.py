"""`python -m runec`: the same as the `runec` command."""

from runec.cli import main

if __name__ == "__main__":
    main()
