import os

from django.core.asgi import get_asgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'gallery.settings')
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from photos.routing import urlpatterns

application = ProtocolTypeRouter({
    'http': http,
    'websocket': AllowedHostsOriginValidator(URLRouter(urlpatterns)),
})
