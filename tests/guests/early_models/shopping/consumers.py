import json

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from .models import Item, ShoppingList


class ListConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.list_id = self.scope['url_route']['kwargs']['list_id']
        self.group = f'list-{self.list_id}'
        if not await ShoppingList.objects.filter(pk=self.list_id).aexists():
            await self.close()
            return
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data):
        name = json.loads(text_data)['item']
        item = await self.add_item(name)
        await self.channel_layer.group_send(self.group, {'type': 'item.added', 'item': item.name})

    @database_sync_to_async
    def add_item(self, name):
        return Item.objects.create(shopping_list_id=self.list_id, name=name)

    async def item_added(self, event):
        await self.send(json.dumps({'item': event['item']}))
