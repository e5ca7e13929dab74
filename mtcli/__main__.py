"""`python -m mtcli`: the command line, also what process launchers start."""

from mtcli.cli.main import main

if __name__ == "__main__":
    main()
