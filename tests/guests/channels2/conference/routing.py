from channels.routing import ProtocolTypeRouter, URLRouter

import talks.routing
from conference.middleware import LanguageMiddlewareStack

application = ProtocolTypeRouter({
    # (http->django views is added by default)
    'websocket': LanguageMiddlewareStack(
        URLRouter(
            talks.routing.websocket_urlpatterns
        )
    ),
})
