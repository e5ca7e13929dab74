"""What mtcli does, measured: `python -m benchmarks.QUESTION` in the repository's root, or `make bench`.

`questions` holds what is asked, `contest` how it is measured, `peers` what mtcli is measured beside, each in a process
of its own, `gpu` the stages of `make gpu`, and `report` the tables and plots of what lies in `results`.
"""
