"""What only the site's host shows: nginx's configuration, sockets, processes, logs, Redis, PostgreSQL."""
