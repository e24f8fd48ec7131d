"""The variables of the playbooks: `check_variables` says all that is wrong with them at once."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.preflight.finding import Finding, stop
from deploy.preflight.planning import split_words
from deploy.site_context import WrongSite, list_proxy_lines

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"({LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")
EXAMPLES = {
    # variable: (what it must match, what it must be)
    "site_domain": (DOMAIN.pattern, "a name such as chat.example.org"),
    "site_email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "an address such as you@example.org"),
    "site_ws_instances": (r"[1-9][0-9]?", "a number from 1 to 99"),
    "site_acme_directory": (r"https://\S+", "an https address"),
    "site_acme_ca": (r"(/.+)?", "the full path of a file on the host, or empty"),
    "site_version": (r"([A-Za-z0-9][A-Za-z0-9._-]*)?", "a name of letters, digits, dots and dashes"),
    "site_upgrade_time": (r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time such as 04:45"),
}
# What these contain is secret: the playbook sends the beginning alone.
ADDRESSES = {
    "site_database_url": (r"(postgres(ql)?://.*)?", "site_database_url must begin with postgres://, or be empty"),
    "email_url": (r"([a-z+]+://.*)?", "EMAIL_URL must be a URL such as smtp+tls://user:password@host:587, or empty"),
}
OPTIONS = {
    "site_domain": "DOMAIN=... of make deploy, --domain of the command deploy",
    "site_email": "EMAIL=..., or --email",
}


def check_variables(given: Mapping[str, Any]) -> list[Finding]:
    """Return a stop for each variable that cannot be used.

    Args:
        given: the variables by their names. Of `site_environment` and `site_secrets` only the names are given, as
            a list, or None where they are no mapping; `reserved` are the names that site_environment must not have.
            `only_looks`: nothing is deployed, so a project needs no source yet.
    """
    return [stop(subject, sentence, fix) for subject, sentence, fix in _find_problems(given)]


def _find_problems(given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    inventory = "Correct it in the inventory, or with -e."
    for name, (pattern, wanted) in EXAMPLES.items():
        value = str(given.get(name, ""))
        if not re.fullmatch(pattern, value, re.IGNORECASE if name == "site_email" else 0):
            fix = f"Give {OPTIONS[name]}, or set it in the inventory." if name in OPTIONS else inventory
            yield name, f"{name} is '{value}': it must be {wanted}.", fix
    for name, (pattern, sentence) in ADDRESSES.items():
        if not re.fullmatch(pattern, str(given.get(name, "")), re.DOTALL):
            yield name, f"{sentence}.", inventory
    try:
        list_proxy_lines(split_words(given.get("site_trusted_proxies")))
    except WrongSite as wrong:
        yield "site_trusted_proxies", f"{wrong}.", "Give networks such as 10.0.0.0/8, as a list or with commas."
    environment, secrets = given.get("site_environment"), given.get("site_secrets")
    if environment is None or set(environment) & set(given.get("reserved", [])):
        sentence = "site_environment must be a mapping of variables, without the secrets and ALLOWED_HOSTS."
        yield "site_environment", sentence, "Move secrets to site_secrets."
    if secrets is None or "SECRET_KEY" in secrets:
        sentence = "site_secrets must be a mapping of secrets, without SECRET_KEY, which the host makes itself."
        yield "site_secrets", sentence, inventory
    if given.get("site_manifest") and not (
        given.get("only_looks")
        or (
            given.get("site_version")
            and Path(str(given.get("site_source"))).is_dir()
            and Path(str(given.get("site_requirements"))).is_file()
        )
    ):
        sentence = "site_manifest needs site_version, site_source (a folder) and site_requirements (a file)."
        yield "site_manifest", sentence, "Use the command deploy, which writes them."


def replace_wrong(given: Mapping[str, Any], findings: list[Finding]) -> dict[str, Any]:
    """Return the variables with a usable value for each wrong one, so that a plan can be made all the same."""
    defaults = {"site_domain": "", "site_ws_instances": 1, "site_acme_directory": "", "site_database_url": ""}
    wrong = {finding.subject for finding in findings}
    return {key: defaults.get(key, "") if key in wrong else value for key, value in given.items()}
