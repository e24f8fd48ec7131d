"""The OpenAPI document's part that comes from our structs."""

from typing import Any

from chat.api.serializers import COMPONENTS


def add_answers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook: put the answers' schemas beside those of the requests."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    return result
