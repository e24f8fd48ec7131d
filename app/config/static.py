"""Static files whose names carry their content's hash, so that nginx may let browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between our ES modules: they name each other by hash too."""

    support_js_module_import_aggregation = True
