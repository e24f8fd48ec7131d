"""Styles and scripts are cached for good and sent compressed."""

import re

from tests.acceptance.site import Site


async def test_a_pages_files_are_cached_for_good_and_sent_compressed(site: Site) -> None:
    page = (await site.get("/")).text
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert files
    for file in files:
        answer = await site.get(file, **{"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert re.search(r"\.[0-9a-f]{12}\.", file)
        assert "max-age=31536000" in answer.headers["cache-control"]
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in answer.headers["vary"].lower()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].replace('"', "").endswith("; charset=utf-8")

        plain = await site.get(file, **{"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content  # httpx has decompressed it
        again = await site.get(file, **{"If-Modified-Since": plain.headers["last-modified"]})
        assert again.status_code == 304


async def test_a_file_without_a_hash_in_its_name_is_not_immutable(site: Site) -> None:
    answer = await site.get("/static/chat/base.css")
    assert answer.status_code == 200
    assert "immutable" not in answer.headers["cache-control"]


async def test_no_other_file_is_served(site: Site) -> None:
    for path in ("/static/absent.css", "/static/", "/static/..%2f..%2fapp/manage.py", "/static../manage.py"):
        answer = await site.get(path)
        assert answer.status_code in (400, 403, 404), path
