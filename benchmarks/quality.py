"""How good the models are that a recipe trains: python -m benchmarks.quality (see `benchmarks.questions.quality`)."""

from benchmarks.questions.quality import main

if __name__ == "__main__":
    main()
