"""How long the command line takes to answer: python -m benchmarks.startup (see `benchmarks.questions.startup`)."""

from benchmarks.questions.startup import main

if __name__ == "__main__":
    main()
