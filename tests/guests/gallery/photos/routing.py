from django.urls import path

from .consumers import GalleryConsumer

urlpatterns = [
    path('live/gallery/', GalleryConsumer.as_asgi()),
]
