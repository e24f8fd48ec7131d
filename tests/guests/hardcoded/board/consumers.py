from asgiref.sync import async_to_sync
from channels.generic.websocket import JsonWebsocketConsumer

from .formatting import to_html
from .models import Entry


class BoardConsumer(JsonWebsocketConsumer):
    groups = ['board']

    def receive_json(self, content):
        author = self.scope['session'].get('author', 'Anonymous')
        entry = Entry.objects.create(author=author, text=content['text'])
        async_to_sync(self.channel_layer.group_send)('board', {
            'type': 'entry',
            'author': entry.author,
            'html': to_html(entry.text),
        })

    def entry(self, event):
        self.send_json({'author': event['author'], 'html': event['html']})
