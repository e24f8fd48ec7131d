"""What the stack adds to the processes of any Django project: health checks, metrics, logs, backups."""
