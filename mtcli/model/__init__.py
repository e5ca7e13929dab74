"""The encoder-decoder Transformer, its caches, and the directory it is kept in."""
