"""What only the machine itself knows: nginx's configuration, sockets, processes, logs, Redis, PostgreSQL."""
