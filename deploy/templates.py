"""Renders the templates of nginx, systemd and Compose with the options of Ansible's template module."""

from jinja2 import Environment, StrictUndefined


def render_text(template: str, **context: object) -> str:
    """Return the text of a template with these names.

    Raises:
        jinja2.TemplateError: the template has a name that the context does not have, or is no Jinja2.
    """
    environment = Environment(trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined)
    return environment.from_string(template).render(**context)
