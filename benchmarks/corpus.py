"""What a large corpus costs: python -m benchmarks.corpus (see `benchmarks.questions.corpus`)."""

from benchmarks.questions.corpus import main

if __name__ == "__main__":
    main()
