"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path, re_path

from ops import health, metrics, sentinel

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    re_path(r"^ws/", sentinel.upgrade_required),
    path("api/", include("chat.api.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("", include("accounts.urls")),
    path("", include("chat.http.urls")),
]
