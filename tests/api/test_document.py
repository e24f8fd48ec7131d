"""The OpenAPI document."""

import io

import jsonschema_rs
import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from chat.api import schema
from tests.api.conftest import document
from tests.schema import DOCUMENT


def test_the_openapi_document_is_valid_and_generated_without_warnings():
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi", stdout=io.StringIO())


def test_the_openapi_document_is_public(transactional_db):
    answer = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert answer.json()["paths"].keys() == document()["paths"].keys()


def test_every_operation_documents_its_answers_and_its_refusals():
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"], (method, path)
            (refused,) = operation["responses"]["4XX"]["content"].items()
            if path == "/save_message/":
                assert refused == ("text/plain", {"schema": {"type": "string"}})
            else:
                assert refused[0] == "application/json"
                assert refused[1]["schema"]["$ref"].endswith("/Refused")
            assert any(status.startswith("2") for status in operation["responses"])


@pytest.mark.parametrize("shape", ["Event", "Message", "Person", "Member", "RoomInfo"])
def test_its_schemas_equal_those_of_the_asyncapi_document(shape):
    assert (
        document()["components"]["schemas"][shape]
        == yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"][shape]
    )


def test_its_components_are_valid_schemas():
    for name in schema.COMPONENTS:
        jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": document()["components"]})
