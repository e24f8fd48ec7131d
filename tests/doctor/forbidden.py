"""A program to which the kernel forbids connect(), with the error of SELinux: forbidden.py COMMAND...

There is no SELinux on Debian. A seccomp filter is the same to the program: its connect() fails with errno 13, whatever
the mode of the socket file, and only connect() does.
"""

import ctypes
import os
import platform
import struct
import sys

SET_SECCOMP, SET_NO_NEW_PRIVILEGES, FILTER = 22, 38, 2  # prctl(2)
CONNECT = {"x86_64": 42, "aarch64": 203}[platform.machine()]
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of the kernel's packet filters
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
RULES = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, CONNECT), (RETURN, 0, 0, ERRNO | 13), (RETURN, 0, 0, ALLOW)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_char_p)]


if __name__ == "__main__":
    kernel = ctypes.CDLL(None, use_errno=True)
    program = Program(len(RULES), b"".join(struct.pack("HBBI", *rule) for rule in RULES))
    if kernel.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or kernel.prctl(SET_SECCOMP, FILTER, ctypes.byref(program)):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])
