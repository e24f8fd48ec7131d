"""The chat: models, services, events, and three transports: pages (http), REST (api) and WebSockets (ws)."""
