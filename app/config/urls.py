"""All addresses of the site."""

from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language

from channels_stack import health, metrics, upgrade_probe
from chat.api.urls import legacy_urlpatterns

admin.site.unregister([SocialApp, SocialToken])  # variables configure the former, the latter are not stored

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    re_path(r"^ws/", upgrade_probe.upgrade_required),
    path("api/", include("chat.api.urls")),
    path("", include(legacy_urlpatterns)),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("language/", set_language, name="set_language"),
    path("_allauth/", include("allauth.headless.urls")),
    path("", include("accounts.urls")),
    path("", include("chat.http.urls")),
]
