"""Tables, plots and pages, made of the files in `results`."""
