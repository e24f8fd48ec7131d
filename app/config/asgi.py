"""The ASGI application: WebSockets, and also the pages where a platform allows only one process.

nginx sends only /ws/ here. Django must be set up before the first import of a model; hence the order.
"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from channels_realtime.origins import OriginValidator  # noqa: E402
from chat.ws.routing import sockets  # noqa: E402
from config.body_limit import BodyLimit  # noqa: E402
from config.static import StaticFiles  # noqa: E402

application = ProtocolTypeRouter({"http": BodyLimit(StaticFiles(pages)), "websocket": OriginValidator(sockets)})
