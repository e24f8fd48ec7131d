"""The size limit of a request body."""

from django.conf import settings

from tests.acceptance.site import SignIn

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # bytes


async def test_a_body_at_the_limit_is_read_and_a_larger_one_is_refused(people: SignIn, room: str) -> None:
    alice = await people()
    where = f"/api/rooms/{room}/messages/"
    headers = {"X-CSRFToken": alice.browser.cookies["csrftoken"], "Content-Type": "application/json"}
    read = await alice.browser.post(where, content=b" " * LIMIT, headers=headers)
    assert read.status_code == 400  # blanks are not JSON
    refused = await alice.browser.post(where, content=b" " * (LIMIT + 1), headers=headers)
    assert refused.status_code == 413


async def test_a_body_of_unknown_length_has_the_same_limit(people: SignIn, room: str) -> None:
    alice = await people()

    async def chunks():
        for _ in range(LIMIT // 65536 + 1):
            yield b" " * 65536

    headers = {"X-CSRFToken": alice.browser.cookies["csrftoken"], "Content-Type": "application/json"}
    refused = await alice.browser.post(f"/api/rooms/{room}/messages/", content=chunks(), headers=headers)
    assert refused.status_code == 413
