"""Looks at a host before the first change of a deployment, and finds at once everything that would stop it.

`ansible/preflight.yml` runs it in three steps. On the operator's machine `packing.py` checks the variables and says
what the deployment takes. `host/` runs on the host, as one zip archive. `joining.py` joins both with what the
operator's machine sees of the host (`login.py`, `outside.py`). Nothing on the host is changed; it needs Python alone.
"""
