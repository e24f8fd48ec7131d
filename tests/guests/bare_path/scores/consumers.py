from asgiref.sync import async_to_sync
from channels.generic.websocket import WebsocketConsumer

from .models import Score


class ScoreConsumer(WebsocketConsumer):
    groups = ['scores']

    def receive(self, text_data=None, bytes_data=None):
        reporter = self.scope['session'].get('name', 'someone')
        score = Score.objects.create(line=f'{text_data} ({reporter})')
        async_to_sync(self.channel_layer.group_send)('scores', {'type': 'score', 'line': score.line})

    def score(self, event):
        self.send(event['line'])
