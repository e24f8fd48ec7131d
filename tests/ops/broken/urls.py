from django.http import HttpRequest
from django.urls import path

from config import urls
from tests.ops.broken.apps import Mistake


def broken(request: HttpRequest, token: str) -> None:
    secret = request.POST["body"]
    raise Mistake(secret)


urlpatterns = [*urls.urlpatterns, path("broken/<token>/", broken)]
