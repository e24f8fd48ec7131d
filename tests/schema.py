"""Validates every frame that a test sends or receives against the committed AsyncAPI document."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

DOCUMENT = Path(__file__).parent.parent / "app/chat/ws/asyncapi.yaml"


@cache
def _validators() -> tuple[dict[str, Any], dict[str, Any]]:
    document = yaml.load(DOCUMENT.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    operations = document["operations"]

    def of(operation: str) -> dict[str, Any]:
        kinds = [message["$ref"].rsplit("/", 1)[-1] for message in operations[operation]["messages"]]
        return {
            document["components"]["messages"][kind]["name"]: jsonschema_rs.validator_for(
                {"$ref": f"#/components/schemas/{kind}", "components": document["components"]}
            )
            for kind in kinds
        }

    return of("socketHears"), of("socketSays")


def check_command(frame: dict[str, Any]) -> None:
    """Raise unless a client may send this frame."""
    _validators()[0][frame["type"]].validate(frame)


def check_reply(frame: dict[str, Any]) -> None:
    """Raise unless a server may send this frame."""
    _validators()[1][frame["type"]].validate(frame)
