"""What files hold: lines, columns and JSON in, translations out."""
