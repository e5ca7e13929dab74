"""Engines that take sentences through their search."""
