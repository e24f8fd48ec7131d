"""Real reports are valid by the JSON Schema in the repository, and reports of version 1 can still be read."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from deploy.doctor import report
from deploy.doctor.catalogue import Hop, HopState
from deploy.doctor.report import Report
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor

SCHEMA: dict[str, Any] = json.loads(Path(report.__file__).with_name("report.schema.json").read_text())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
PASS = "proxy_pass http://$ws_servers;"


def find_errors(content: dict[str, Any]) -> list[str]:
    return [f"{list(error.instance_path)}: {error.message}" for error in VALIDATOR.iter_errors(content)]


def test_the_report_of_a_healthy_site_is_valid(start_nginx: StartNginx, doctor: Doctor) -> None:
    assert find_errors(doctor(start_nginx()).report) == []


def test_the_report_of_a_host_with_a_broken_hop_is_valid(start_nginx: StartNginx, doctor: Doctor) -> None:
    broken = start_nginx({"sites/site.conf": [(PASS, "proxy_pass http://unix:{folder}/gone.sock;")]})
    content = doctor.on_host(broken).report
    assert (content["broken"], content["machine"] is None) == ("426", False)
    assert find_errors(content) == []


def test_the_schema_refuses_an_unknown_key_and_an_unknown_state(start_nginx: StartNginx, doctor: Doctor) -> None:
    content = doctor(start_nginx()).report
    assert find_errors(content | {"extra": 1})
    content["hops"][0]["state"] = "well"
    assert find_errors(content)


def test_the_schema_names_the_hops_states_and_exit_codes_of_the_program() -> None:
    definitions, properties = SCHEMA["$defs"], SCHEMA["properties"]
    assert definitions["hop_title"]["enum"] == [hop.title for hop in Hop]
    assert definitions["state"]["enum"] == list(HopState)
    assert properties["exit_code"]["enum"] == [0, *(hop.exit_code for hop in Hop)]
    assert properties["hops"]["minItems"] == properties["hops"]["maxItems"] == len(Hop)
    assert properties["version"]["const"] == report.VERSION


FINDING = {
    "cause": "nobody-listens",
    "catalogue": 13,
    "warning": False,
    "sentence": "A sentence.",
    "seen": "203.0.113.7 port 443: connection refused",
    "where": "",
    "fix": "A fix.",
}
VERSION_1 = {
    "url": "https://chat.example.org",
    "ws_path": "/ws/",
    "broken": "TCP",
    "exit_code": 11,
    "seconds": 0.1,
    "certificate_days": None,
    "ours": True,
    "hops": [
        {"hop": "DNS", "state": "well", "note": "203.0.113.7", "findings": [], "there": None},
        {"hop": "TCP", "state": "broken", "note": "", "findings": [FINDING], "there": None},
        {"hop": "TLS", "state": "unreached", "note": "", "findings": [], "there": None},
    ],
    "machine": {"handshakes": {"127.0.0.1": "101"}, "facts": [], "not_seen": ["a log"]},
    "not_seen": ["a log"],
}


def test_a_report_of_version_1_can_be_read() -> None:
    read = Report.from_json(json.dumps(VERSION_1))
    assert [hop.state for hop in read.hops] == [HopState.OK, HopState.BROKEN, HopState.SKIPPED]
    assert read.may_be_stack_site is True
    assert read.machine
    assert read.not_inspected == read.machine.not_inspected == ("a log",)


def test_the_keys_of_version_1_are_still_written() -> None:
    written = json.loads(Report.from_json(json.dumps(VERSION_1)).to_json())
    assert VERSION_1.keys() <= written.keys()
    assert VERSION_1["machine"].keys() <= written["machine"].keys()
    assert VERSION_1["hops"][0].keys() <= written["hops"][0].keys()
    assert FINDING.keys() <= written["hops"][1]["findings"][0].keys()


@pytest.mark.parametrize("text", ["7", "[]", "{}", '{"version": 3}', "not JSON"])
def test_what_is_not_a_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"report|version|Expecting"):
        Report.from_json(text)
