"""A project that cannot be loaded is one line with the place in its own files."""

import pytest

from tests.site import tutorial


@pytest.mark.parametrize(
    ("module", "files", "said"),
    [
        (
            "routes",
            tutorial.with_files(chat__consumers="import nothing_of_this_name\n"),
            "The ASGI application cannot be loaded: ModuleNotFoundError: No module named 'nothing_of_this_name'"
            " (chat/consumers.py:1)",
        ),
        (
            "routes",
            tutorial.with_files(mysite__asgi="x = 1\n"),
            "The ASGI application cannot be loaded: ImportError: mysite.asgi has no attribute 'application'",
        ),
        (
            "overrides",
            tutorial.with_files(mysite__settings="import os\nKEY = os.environ['CHAT_API_KEY']\n"),
            "The settings cannot be loaded: KeyError: 'CHAT_API_KEY' (mysite/settings.py:2)",
        ),
        (
            "overrides",
            tutorial.with_files(mysite__settings="DEBUG = \n"),
            "The settings cannot be loaded: SyntaxError: invalid syntax (settings.py, line 1) (mysite/settings.py:1)",
        ),
    ],
)
def test_the_place_is_named(make_project, module, files, said):
    done = make_project(files).run("-m", f"channels_stack.{module}", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == said
