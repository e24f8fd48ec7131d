from asgiref.sync import async_to_sync
from celery import shared_task
from channels.layers import get_channel_layer

from .groups import user_group
from .models import Notice


@shared_task
def deliver_notice(user_id, text):
    notice = Notice.objects.create(user_id=user_id, text=text)
    async_to_sync(get_channel_layer().group_send)(
        user_group(user_id),
        {'type': 'notice.created', 'id': notice.pk, 'text': notice.text},
    )
