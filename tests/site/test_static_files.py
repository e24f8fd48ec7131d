"""Static files of a project that was never deployed: references to files that nobody has."""

from tests.site import tutorial

STORAGES = """
STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
"""
STYLE = (
    "body { background: url(missing.png) }\nh1 { background: url(there.png) }\n/*# sourceMappingURL=style.css.map */\n"
)


def test_a_style_sheet_may_name_files_that_are_missing(make_project):
    files = tutorial.with_settings(STORAGES) | {"chat/static/style.css": STYLE, "chat/static/there.png": "png"}
    project = make_project(files, static_root="static")
    project.run("-m", "django", "collectstatic", "--no-input")
    style = next((project.root / "static").glob("style.*.css")).read_text()
    assert 'url("missing.png")' in style
    assert "there.png" not in style  # it has a hash in its name
    url = "__import__('django.templatetags.static').templatetags.static.static('nowhere.js')"
    assert project.evaluate(url) == "/static/nowhere.js"
