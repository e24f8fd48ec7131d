from channels.generic.websocket import AsyncJsonWebsocketConsumer

from .groups import user_group


class NoticeConsumer(AsyncJsonWebsocketConsumer):
    group = None

    async def connect(self):
        user = self.scope['user']
        if not user.is_authenticated:
            await self.close()
            return
        self.group = user_group(user.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content):
        if content.get('command') == 'count':
            await self.channel_layer.send(
                'digest', {'type': 'digest.count', 'user_id': self.scope['user'].pk}
            )

    async def notice_created(self, event):
        await self.send_json({'notice': event['text'], 'id': event['id']})

    async def digest_ready(self, event):
        await self.send_json({'count': event['count']})
