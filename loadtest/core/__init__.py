"""What both front ends share: WebSocket client, oracle, latencies, process measurement, tables, result files.

Nothing here imports locust, gevent, asyncio or Django, so `loadtest.load` and `loadtest.bench` can both build on it.
"""
