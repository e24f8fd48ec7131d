import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

from shopping.consumers import ListConsumer

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'household.settings')

application = ProtocolTypeRouter({
    'http': get_asgi_application(),
    'websocket': AuthMiddlewareStack(
        URLRouter([
            path('ws/lists/<int:list_id>', ListConsumer.as_asgi()),
        ])
    ),
})
