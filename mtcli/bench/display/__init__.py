"""Records for people: tables, CSV and pictures. Needs no torch."""
