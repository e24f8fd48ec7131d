import os

from django.core.asgi import get_asgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'portal.settings')

django_asgi_app = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from notices.consumers import NoticeConsumer
from notices.workers import DigestWorker

application = ProtocolTypeRouter({
    'http': django_asgi_app,
    'websocket': AllowedHostsOriginValidator(
        AuthMiddlewareStack(URLRouter([
            path('ws/notices/', NoticeConsumer.as_asgi()),
        ]))
    ),
    'channel': ChannelNameRouter({
        'digest': DigestWorker.as_asgi(),
    }),
})
