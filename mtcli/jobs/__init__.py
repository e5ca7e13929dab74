"""Translations of files that can be killed and gone on with."""
