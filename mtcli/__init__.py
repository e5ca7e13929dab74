"""mtcli trains encoder-decoder Transformers on parallel text and translates files and streams with them."""

__version__ = "0.1.0"
