"""Records for people and for spreadsheets: tables, CSV and pictures. Needs no torch."""
