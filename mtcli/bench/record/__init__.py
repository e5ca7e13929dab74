"""What was measured, as data: the record, its file, its measurements, and two records side by side. Needs no torch."""
