"""Authentication of integrations: programs that post messages of people on other systems."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from chat.services import integrations


class IntegrationAuthentication(BaseAuthentication):
    """Authenticates `Authorization: Bearer parley_...` as the integration's bot."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """Return the bot; None when the header has another form. Raises AuthenticationFailed for a wrong token."""
        scheme, _, token = get_authorization_header(request).decode("latin1").partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(integrations.TOKEN_PREFIX):
            return None
        if (bot := integrations.find_bot(token)) is None:
            raise AuthenticationFailed("This token is not valid.")
        return bot, None

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header of a 401."""
        return "Bearer"


class IntegrationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes IntegrationAuthentication in the OpenAPI document."""

    target_class = IntegrationAuthentication
    name = "integration"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": integrations.TOKEN_PREFIX}
