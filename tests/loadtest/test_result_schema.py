"""The JSON files of both front ends agree with the schemas in the repository."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.fanout import Comparison
from loadtest.bench.measure import RoomLoad, measure_room
from loadtest.bench.result import save_result
from loadtest.bench.versions import find_versions
from loadtest.core.result_file import BadResult
from loadtest.load.result import VERSION, read_result
from loadtest.schemas import build_schemas
from tests.loadtest.command import load
from tests.loadtest.faulty_chat import FaultyChat
from tests.loadtest.schemas import strict_schema
from tests.loadtest.test_report_page import result


@pytest.mark.parametrize("path", build_schemas(), ids=lambda path: path.parent.name)
def test_the_schema_is_that_of_the_types(path: Path) -> None:
    assert json.loads(path.read_text()) == build_schemas()[path], "python -m loadtest.schemas writes it"


async def test_a_run_of_make_load_writes_a_valid_result(tmp_path: Path) -> None:
    async with FaultyChat(["none"], 1) as chat:
        flags = [
            "--rooms",
            "1",
            "--members",
            "5",
            "--rate",
            "10",
            "--seconds",
            "1",
            "--connect-rate",
            "100",
            "--max-lag-ms",
            "60000",
        ]
        sessions = tmp_path / "sessions"
        sessions.write_text(json.dumps({"rooms": [], "cookies": ["any"] * 5}))
        done = await load(tmp_path, "fanout", "--url", chat.url, "--sessions", str(sessions), *flags)
    assert done.code == 0, done.printed + done.progress
    assert done.result["version"] == VERSION
    strict_schema("load").validate(done.result)


async def test_a_measurement_of_make_bench_writes_a_valid_result(tmp_path: Path) -> None:
    load = RoomLoad(20, low_rate=20, high_rate=50, seconds=0.4)
    measured = await asyncio.to_thread(measure_room, Broadcast(), load)
    comparison = Comparison({("broadcast", 20): [measured, measured]}, {"nats": "it is not installed"}, [None])
    path = save_result(comparison.to_json(), find_versions(), folder=tmp_path)
    strict_schema("bench").validate(json.loads(path.read_text()))


def test_a_result_of_version_1_is_read_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old: Any = copy.deepcopy(result(scenario="day"))
    del old["version"]
    old |= {"format": 1, "named": {"closed": {"1012": 3}, "told": {"ephemeral": 2}}}
    del old["counters"]
    old["oracle"]["started_afresh"] = old["oracle"].pop("not_recovered")
    file = tmp_path / "old.json"
    file.write_text(json.dumps(old))
    found = read_result(file)
    assert (found["version"], found["scenario"], found["oracle"]["not_recovered"]) == (VERSION, "user-journey", 0)
    assert found["counters"] == {"closed": {"1012": 3}, "other": {"ephemeral": 2}}
    assert "version 1" in capsys.readouterr().err


def test_another_json_file_is_not_a_result(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("[]")
    with pytest.raises(BadResult, match="contains no result"):
        read_result(file)
    file.write_text("{}")
    with pytest.raises(BadResult, match="not a result"):
        read_result(file)
