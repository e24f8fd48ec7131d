from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer

from .groups import user_group
from .models import Notice


class DigestWorker(SyncConsumer):
    """Run by `manage.py runworker digest`."""

    def digest_count(self, message):
        count = Notice.objects.filter(user_id=message['user_id']).count()
        async_to_sync(self.channel_layer.group_send)(
            user_group(message['user_id']),
            {'type': 'digest.ready', 'count': count},
        )
