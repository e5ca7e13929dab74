"""Processes that permissions hold for, as they do for a user, though the tests run as root."""

import ctypes
import os

_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: root's power to pass over permissions
_DROP_FROM_BOUNDING_SET = 24  # PR_CAPBSET_DROP: for the programs that the process runs
_VERSION = 0x20080522  # of the structures of capget and capset: 64 capabilities


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def obey_permissions() -> None:
    """Take from this process, and from what it runs, root's power to pass over permissions (Linux)."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    header, words = _Header(_VERSION, 0), (_Capabilities * 2)()
    libc.capget(ctypes.byref(header), ctypes.byref(words))
    kept = ~sum(1 << capability for capability in _OVERRIDES)
    words[0].effective &= kept
    words[0].permitted &= kept
    libc.capset(ctypes.byref(header), ctypes.byref(words))
