"""Section `translate`: checks, whole sentences decoded at once, single lines, where the time goes."""
