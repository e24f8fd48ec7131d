"""A page of another site cannot open a socket with a visitor's cookies."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.site import SignIn, Site


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None], ids=["foreign", "null", "none"])
async def test_a_foreign_origin_is_refused_with_403(site: Site, people: SignIn, origin: str | None) -> None:
    alice = await people()
    with pytest.raises(InvalidStatus) as refused:
        await site.wss(cookies=alice.browser.cookies, origin=origin)
    assert refused.value.response.status_code == 403
