"""Bytes and operations that work cannot do without, and the roofline they are held against."""
