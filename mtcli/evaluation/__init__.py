"""Scoring translations against references with sacreBLEU."""
