"""How time and memory grow: python -m benchmarks.growth (see `benchmarks.questions.growth`)."""

from benchmarks.questions.growth import main

if __name__ == "__main__":
    main()
