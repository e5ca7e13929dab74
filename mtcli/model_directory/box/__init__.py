"""The model that comes with mtcli: English to German, trained on everyday sentences of Tatoeba.

Its recipe is configs/tatoeba-en-de.toml; its README.md says what it is good for, and on what terms it is to be had.
"""

from pathlib import Path

IN_THE_BOX = Path(__file__).parent / "en-de"
DIRECTION = "English to German"
