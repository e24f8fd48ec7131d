"""What the chat's operators need besides channels_stack: status in the admin, commands, reports to Sentry."""
