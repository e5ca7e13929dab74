"""The parts of the stage `translate`: who decodes, their processes, what is checked, and what is measured."""
