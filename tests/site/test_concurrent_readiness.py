"""Requests for /readyz that come together do not disturb each other in the layer that a project keeps."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import override_settings

from channels_stack.health import check_channel_layer

THREADS = 8  # gunicorn has several in each worker


@pytest.mark.parametrize(
    "backend", ["channels_redis.core.RedisChannelLayer", "channels_redis.pubsub.RedisPubSubChannelLayer"]
)
def test_checks_of_the_channel_layer_pass_in_several_threads_at_once(redis_url: str, backend: str) -> None:
    hosts = [{"address": redis_url, "socket_timeout": None}]
    with (
        override_settings(CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": hosts}}}),
        ThreadPoolExecutor(THREADS) as pool,
    ):
        for check in [pool.submit(check_channel_layer) for _ in range(5 * THREADS)]:
            check.result()
