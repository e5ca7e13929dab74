"""What is measured of each operation: one module each, with a function `cases(context)`."""
