"""`make load`: locust users that load a chat, and the run around them: master, workers, scenarios, report."""
