"""An HTTP client that validates every answer against the OpenAPI document."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from django.core.cache import cache as django_cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document that this code publishes."""
    generated: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return generated


def operation(method: str, path: str) -> dict[str, Any]:
    """What the document says of this request."""
    for template, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in operations:
            found: dict[str, Any] = operations[method]
            return found
    raise AssertionError(f"{method} {path} is not in the OpenAPI document")


def check_answer(method: str, path: str, answer: Any) -> None:
    """Raise unless the document says that this may be answered."""
    responses = operation(method, path)["responses"]
    described = responses.get(str(answer.status_code)) or responses.get(f"{answer.status_code // 100}XX")
    assert described, f"{method} {path}: {answer.status_code} is not documented: {answer.content!r}"
    if "content" not in described:
        assert answer.content == b""
        return
    assert answer.headers["Content-Type"] == "application/json"
    schema = described["content"]["application/json"]["schema"] | {"components": document()["components"]}
    jsonschema_rs.validator_for(schema).validate(answer.json())


class Refused(Exception):
    """The answer was an error."""

    def __init__(self, answer: Any) -> None:
        self.status, self.error = answer.status_code, answer.json()["error"]
        super().__init__(f"{self.status} {self.error}")
        self.code = self.error["code"]
        self.headers = answer.headers
        assert set(answer.json()) == {"error"}
        assert {"code", "text"} <= set(self.error) <= {"code", "text", "retry_after"}
        assert self.error["text"][0].isupper() or ":" in self.error["text"]


class Api:
    """The requests of one user. `api.post("rooms/", name="x")` returns the answer's JSON, or raises Refused."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.status = 0  # of the last answer

    def __call__(self, method: str, path: str, body: Any = None, **headers: Any) -> Any:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"content_type": "application/json", **headers}
        answer = self.client.generic(method.upper(), f"/api/{path}", raw, **headers)
        check_answer(method, f"/api/{path}".split("?")[0], answer)
        self.status = answer.status_code
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self("get", path)

    def post(self, path: str, **body: Any) -> Any:
        return self("post", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        return self("patch", path, body)

    def delete(self, path: str) -> Any:
        return self("delete", path)


@pytest.fixture
def api(transactional_db: None) -> Iterator[Callable[..., Api]]:
    """`api(alice)`: alice's requests; `api()`: anonymous ones."""
    django_cache.clear()  # it counts what people do

    def of(user: User | None = None, **options: Any) -> Api:
        client = Client(raise_request_exception=False, **options)
        if user:
            client.force_login(user)
        return Api(client)

    yield of
    django_cache.clear()
