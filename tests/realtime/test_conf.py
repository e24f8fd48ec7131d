"""The settings of channels_realtime are one dictionary, in which every key is optional and a wrong one is refused."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_realtime.conf import NAMES, Options, options

README = Path(__file__).parent.parent.parent / "app/channels_realtime/README.md"


def test_a_project_without_the_setting_gets_the_defaults(settings):
    settings.CHANNELS_REALTIME = {}  # what an earlier test has read is forgotten; a deletion alone sends no signal
    del settings.CHANNELS_REALTIME
    assert options() == Options()


def test_a_value_of_the_project_replaces_the_default(settings):
    settings.CHANNELS_REALTIME = {"MAX_MESSAGE_BYTES": 100, "PING_INTERVAL_SECONDS": 0.5}
    assert options() == Options(max_message_bytes=100, ping_interval_seconds=0.5)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("REDIS_ADDRESS", "", "has no key 'REDIS_ADDRESS'"),
        ("REDIS_URL", None, "must be a text"),
        ("COALESCE", 1, "must be True or False"),
        ("ALLOWED_ORIGINS", "https://a.example", "must be a list of texts"),
        ("MAX_MESSAGE_BYTES", "64K", "must be a number that is not negative"),
        ("MAX_MESSAGE_BYTES", -1, "must be a number that is not negative"),
        ("MAX_MESSAGE_BYTES", True, "must be a number that is not negative"),
        ("MAX_MESSAGE_BYTES", 1.5, "must be a number that is not negative"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(settings, name, value, said):
    settings.CHANNELS_REALTIME = {name: value}
    with pytest.raises(ImproperlyConfigured, match=said):
        options()


def test_the_readme_lists_every_setting_with_its_default():
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (\S+(?: MiB)?) \|", README.read_text(), re.MULTILINE))
    assert tuple(table) == NAMES
    for field in fields(Options):
        shown, default = table[field.name.upper()].strip("`").replace('"', "'"), getattr(Options, field.name)
        assert shown == (f"{default >> 20} MiB" if shown.endswith("MiB") else repr(default))
