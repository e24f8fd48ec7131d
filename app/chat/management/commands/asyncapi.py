"""Write parley.v1 as an AsyncAPI 3 document."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml
from django.core.management.base import BaseCommand, CommandError

from chat.ws import protocol

DOCUMENT = Path(protocol.__file__).with_name("asyncapi.yaml")
CLOSE_CODES = """\
| code | meaning | reconnect? |
|---|---|---|
| 1000 | normal closure | as you like |
| 1003 | a binary frame | no |
| 1007 | not UTF-8 | no |
| 1009 | a frame over 64 KiB | no |
| 1012 | the server restarts | yes, after `reconnect_in` |
| 1013 | overload, or the database is away | yes, after `reconnect_in` |
| 4400 | not JSON, no such address, or no subprotocol | not in the same way |
| 4401 | not signed in, or not any more | after signing in |
| 4403 | access denied | no |
| 4408 | no `hello` within 5 s | with a `hello` |
| 4409 | too many sockets | after closing one |
| 4508 | the client reads too slowly, or answers no pings | yes, and resume |
| 4510 | the room has to be loaded again | yes, and resume |
| 4529 | too many refused commands | yes, after `reconnect_in` |
"""


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as YAML block scalars."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


class Command(BaseCommand):
    """Writes or checks the AsyncAPI document."""

    help = "Write parley.v1 as an AsyncAPI 3 document beside chat/ws/protocol.py, or check that it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's option."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        """Write the document; with `check`, raise CommandError when it is out of date."""
        text = yaml.dump(document(), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
        if not check:
            DOCUMENT.write_text(text)
        elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            raise CommandError(f"{DOCUMENT.name} is out of date: run `manage.py asyncapi`.")


def document() -> dict[str, Any]:
    """Return the protocol as an AsyncAPI 3 document."""
    commands, replies = get_args(protocol.Command), get_args(protocol.Reply)
    template = "#/components/schemas/{name}"
    _, schemas = msgspec.json.schema_components([*commands, *replies], ref_template=template)
    channels = {
        "socket": ("/ws/", "Many rooms on one socket."),
        "room": (
            "/ws/chat/{room}/",
            "Joins that room automatically after `hello`, and works like /ws/ otherwise. /ws/chat/ is the address of "
            "the default room. For clients without the subprotocol these addresses have the older chats' protocols.",
        ),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley",
            "version": protocol.SUBPROTOCOL,
            "description": "JSON text frames over a WebSocket with the subprotocol `parley.v1`. Every frame has a "
            "`type`. A `bye` frame precedes every close by the server but 1007 and 1009, which end the socket at "
            "once.\n\n" + CLOSE_CODES,
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {
                "address": address,
                "description": description,
                **({"parameters": {"room": {"description": "The room's slug."}}} if "{room}" in address else {}),
                "messages": {
                    kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in (*commands, *replies)
                },
            }
            for name, (address, description) in channels.items()
        },
        "operations": {
            f"{name}{direction}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in kinds],
            }
            for name in channels
            for direction, action, kinds in (("Hears", "receive", commands), ("Says", "send", replies))
        },
        "components": {
            "messages": {
                kind.__name__: {
                    "name": kind.__struct_config__.tag,
                    "summary": " ".join((kind.__doc__ or "").split()),
                    "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
                }
                for kind in (*commands, *replies)
            },
            "schemas": schemas,
        },
    }
