"""The channel layer: channels_redis over pub/sub, which waits for messages; it would look ten times a second."""

from typing import Any

from channels_redis import pubsub

WAIT = 5  # seconds


class Waiting(pubsub.RedisSingleShardConnection):
    """A connection to one Redis that wakes its process only when there is something to hear."""

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            look = self._pubsub.get_message

            async def wait(**how: Any) -> Any:
                return await look(**{**how, "timeout": WAIT})

            self._pubsub.get_message = wait


vars(pubsub)["RedisSingleShardConnection"] = Waiting  # the layer has no other way to be told
ChannelLayer = pubsub.RedisPubSubChannelLayer
