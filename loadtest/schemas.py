"""`python -m loadtest.schemas` writes the JSON Schemas of both results; a test compares them with the types."""

from pathlib import Path
from typing import Any

from loadtest.bench.result import BenchResult
from loadtest.core.result_file import build_schema, write_json
from loadtest.load.result import LoadResult

HERE = Path(__file__).parent


def build_schemas() -> dict[Path, dict[str, Any]]:
    """Return the schemas by the path of their file."""
    return {
        HERE / "load/result.schema.json": build_schema(LoadResult, "Result of make load"),
        HERE / "bench/result.schema.json": build_schema(BenchResult, "Result of make bench"),
    }


if __name__ == "__main__":
    for path, schema in build_schemas().items():
        write_json(schema, path, indent=2)
