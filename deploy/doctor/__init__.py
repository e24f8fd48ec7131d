"""The doctor: finds the hop between a browser and a Channels application that loses the WebSocket, and names the fix.

It needs Python 3.11 and no packages. `__main__.py` is the command. `runner.py` has the order of the hops, `*_probes.py`
send the requests, `observations.py` holds what was seen, `causes/` judges it, and `report.py` is the result.
"""
