"""What was measured, as data: the record, its files, its figures, and two of them side by side. Needs no torch."""
