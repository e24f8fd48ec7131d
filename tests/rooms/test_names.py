"""The names of open rooms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.models import Room
from chat.services.errors import BadName
from chat.services.rooms import slug_from_name
from tests.chat_client import Refused


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("harbour", "harbour"),
        ("#Harbour", "harbour"),
        ("  The  Old Harbour ", "the-old-harbour"),
        ("Straße", "strasse"),
        ("\uff28ARBOUR", "harbour"),
        ("Ĳmuiden", "ijmuiden"),
        ("Åland", "åland"),
        ("гавань", "гавань"),
        ("港", "港"),
        ("हिन्दी", "हिन्दी"),
        ("ห้องน้ำ", "ห้องน้ํา"),
        ("Árbol", "árbol"),
        ("ΐ", "ΐ"),
        ("x" * 64, "x" * 64),
        ("4_u-2", "4_u-2"),
    ],
)
def test_all_spellings_of_a_name_mean_one_room(typed, slug):
    assert slug_from_name(typed) == slug


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "#",
        "-x",
        "_x",
        "~AAAAAAAAAAAAAAAA",
        "a/b",
        "a.b",
        "a\0b",
        "x" * 65,
        "ß" * 33,
        "a\u202eb",
        "a\ufe0f",
        "a" + 4 * "\u0316",
        "\u0301a",
        "🎉",
    ],
)
def test_a_text_that_cannot_be_a_name_is_refused(typed):
    with pytest.raises(BadName):
        slug_from_name(typed)


@given(st.text(max_size=70))
def test_a_slug_is_the_name_of_its_own_room(typed):
    try:
        slug = slug_from_name(typed)
    except BadName:
        return
    assert slug_from_name(slug) == slug


@pytest.mark.parametrize("spelling", ["Harbour", "\uff28ARBOUR", "HARBOUR"])
async def test_another_spelling_creates_no_second_room(connect, room, alice, spelling):
    async with connect(alice) as hers:
        with pytest.raises(Refused, match="written harbour") as refused:
            await hers.join(spelling)
        assert refused.value.code == "bad_name"
    assert await Room.objects.acount() == 1
