from django.conf.urls import url

from . import consumers

websocket_urlpatterns = [
    url(r'^ws/talks/(?P<slug>[^/]+)/$', consumers.QuestionConsumer),
]
