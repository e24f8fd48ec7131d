"""Any project in containers: the commands up and down."""
