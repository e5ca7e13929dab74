"""All that a processor can answer: python -m benchmarks.suite (see `benchmarks.questions.suite`)."""

from benchmarks.questions.suite import main

if __name__ == "__main__":
    main()
