"""Facts, and the rules that the database keeps. Written by chat.services only."""

from chat.models.epoch import Epoch
from chat.models.integration import Integration
from chat.models.invitation import Invitation
from chat.models.membership import Membership
from chat.models.message import Message
from chat.models.room import Room

__all__ = ["Epoch", "Integration", "Invitation", "Membership", "Message", "Room"]
