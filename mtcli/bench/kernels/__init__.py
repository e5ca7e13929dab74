"""Every operation's kernels beside PyTorch's best on the same inputs: checked, then timed, each in its own process.

An operation is a module with `cases(settings)`, the most wanted first; `OPERATIONS` in `section` names them.
"""
