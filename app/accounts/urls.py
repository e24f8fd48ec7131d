"""The addresses of the guests' form and of the first administrator's setup."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("guest/", views.guest, name="guest"),
    path("setup/", views.setup, name="setup"),
]
