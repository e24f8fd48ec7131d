"""The old place of loadtest.load.users.bundled_chat_user; it works until the next release."""

import warnings

from loadtest.load.users.bundled_chat_user import *  # noqa: F403
from loadtest.load.users.bundled_chat_user import BundledChatUser

ParleyUser = BundledChatUser
warnings.warn(f"{__name__} is now {BundledChatUser.__module__}", FutureWarning, stacklevel=2)
