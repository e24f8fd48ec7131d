"""The command-line program: one command for each thing that an operator or a developer does with a project."""
