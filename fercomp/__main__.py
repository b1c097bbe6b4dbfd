"""`python -m fercomp` is `fercomp`."""

from fercomp.cli.app import main

if __name__ == "__main__":
    main()
