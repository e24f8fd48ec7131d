"""The JSON Schemas of the results, as committed, for tests that hold results against them."""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs

REPO = Path(__file__).parent.parent.parent


@cache
def strict_schema(front_end: str) -> jsonschema_rs.Validator:
    """The schema of `load` or `bench`, which here refuses keys that it does not name."""
    schema = json.loads((REPO / "loadtest" / front_end / "result.schema.json").read_text())
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return jsonschema_rs.validator_for(schema)
