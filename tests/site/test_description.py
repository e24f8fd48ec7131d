"""A missing or wrong site description is one clear sentence, in every kind of process."""

import pytest

from tests.site import tutorial


@pytest.fixture
def project(make_project):
    return make_project(tutorial.FILES)


def last_line(project, module="channels_stack.overrides"):
    done = project.run("-m", module, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1].rpartition("ImproperlyConfigured: ")[2]


def test_the_variable_is_not_set(project):
    del project.environment["SITE_FILE"]
    for module in ("channels_stack.overrides", "channels_stack.routes", "channels_stack.wsgi"):
        assert last_line(project, module) == ("SITE_FILE is not set: it must name the site description, a JSON file.")


def test_the_file_is_absent(project):
    project.site_file.unlink()
    assert last_line(project) == (
        f"The site description {project.site_file} cannot be read: No such file or directory."
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Input data was truncated"),
        ('{"name": "x"}', "Object missing required field `settings`"),
        ('{"name": "x", "settings": "s", "hosts": "a,b"}', "Expected `array`, got `str` - at `$.hosts`"),
        ('{"name": "x", "settings": "s", "own": ["colour"]}', "Invalid enum value 'colour' - at `$.own[0]`"),
    ],
)
def test_the_file_is_wrong(project, text, reason):
    project.site_file.write_text(text)
    assert last_line(project) == f"The site description {project.site_file} is wrong: {reason}."


def test_fields_of_a_later_version_are_ignored(project):
    project.describe(colour="blue")
    assert project.overrides()["DEBUG"]["after"] == "False"


def test_a_missing_secret_is_named(project):
    del project.environment["SECRET_KEY"]
    assert last_line(project).startswith("SECRET_KEY is not set: it must be a variable, or a file in the folder that ")
