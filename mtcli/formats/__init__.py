"""What files hold: segments of text to translate in, translations out.

A format is declared once, in one table: `LINE_FORMATS` holds those with a segment a line. Nothing here knows of
commands, jobs or models.
"""
