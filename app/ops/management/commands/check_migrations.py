"""manage.py check_migrations: refuse migrations on which the release before could not run."""

from ops.management.commands.additive import Command

__all__ = ["Command"]
