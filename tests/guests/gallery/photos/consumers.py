from channels.generic.websocket import AsyncJsonWebsocketConsumer


class GalleryConsumer(AsyncJsonWebsocketConsumer):
    groups = ['gallery']

    async def receive_json(self, content):
        # A visitor points the others to a photo.
        await self.channel_layer.group_send(
            'gallery', {'type': 'photo.shown', 'title': str(content.get('show', ''))}
        )

    async def photo_added(self, event):
        await self.send_json({'added': event['title'], 'url': event['url']})

    async def photo_shown(self, event):
        await self.send_json({'shown': event['title']})
