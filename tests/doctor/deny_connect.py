"""Runs a program whose connect() the kernel refuses with the error of SELinux: deny_connect.py COMMAND...

Debian has no SELinux. A seccomp filter has the same effect on the program: connect() fails with errno 13 whatever the
mode of the socket file, and every other system call works.
"""

import ctypes
import os
import platform
import struct
import sys

SET_SECCOMP, SET_NO_NEW_PRIVILEGES, FILTER = 22, 38, 2  # prctl(2)
CONNECT = {"x86_64": 42, "aarch64": 203}[platform.machine()]
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # instructions of the kernel's packet filters
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
RULES = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, CONNECT), (RETURN, 0, 0, ERRNO | 13), (RETURN, 0, 0, ALLOW)]


class Program(ctypes.Structure):
    """The kernel's struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_char_p)]


if __name__ == "__main__":
    kernel = ctypes.CDLL(None, use_errno=True)
    program = Program(len(RULES), b"".join(struct.pack("HBBI", *rule) for rule in RULES))
    if kernel.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or kernel.prctl(SET_SECCOMP, FILTER, ctypes.byref(program)):
        sys.exit(f"The kernel did not accept the filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])
