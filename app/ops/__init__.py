"""What operators need: health checks, metrics, logs, backups, and checks of migrations."""
