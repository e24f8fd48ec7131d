"""An index of packages on this machine, which says when each file was uploaded, as PyPI does (PEP 700)."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@contextmanager
def serve_index(folder: Path, uploads: dict[str, str]) -> Iterator[str]:
    """Serve the files of a folder as an index, and yield its address.

    Args:
        folder: the wheels.
        uploads: the day of upload by name of file; a file that is missing here has none.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rstrip("/").rpartition("/")[2]
            if (folder / name).is_file():
                self._send((folder / name).read_bytes(), "application/octet-stream")
                return
            wanted = name.replace("-", "_")
            files = [file.name for file in sorted(folder.iterdir()) if file.name.split("-")[0] == wanted]
            if not files:
                self.send_error(404)
                return
            listed = [
                {"filename": file, "url": f"/files/{file}", "hashes": {}}
                | ({"upload-time": f"{uploads[file]}T12:00:00Z"} if file in uploads else {})
                for file in files
            ]
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": listed, "versions": []}
            self._send(json.dumps(page).encode(), JSON_TYPE)

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()
