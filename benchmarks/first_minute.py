"""What a newcomer sees: python -m benchmarks.first_minute (see `benchmarks.questions.first_minute`)."""

from benchmarks.questions.first_minute import main

if __name__ == "__main__":
    main()
