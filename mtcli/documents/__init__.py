"""Translating documents: what a segment's translation must keep, and how it is kept.

A segment's plain text is translated; its inline codes come back where the translations of the words around them are
(placement.py), its placeholders and addresses exactly as they were (protection.py). What cannot be kept so is
translated in pieces, and what cannot be translated at all stays, and is reported.
"""
