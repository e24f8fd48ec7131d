"""The chat's tables and the constraints that the database enforces. Only chat.services writes them."""

from chat.models.epoch import Epoch
from chat.models.integration import Integration
from chat.models.invitation import Invitation
from chat.models.membership import Membership
from chat.models.message import Message
from chat.models.room import Room

__all__ = ["Epoch", "Integration", "Invitation", "Membership", "Message", "Room"]
