"""The first visitor of an empty site may create its first administrator."""

from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.guests import validate_not_guest_prefix
from accounts.models import User


class FirstAdministratorForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Username and password of the first administrator."""

    class Meta:
        model = User
        fields = ("username",)

    field_order = ("username", "password1", "password2")

    def clean_username(self) -> str:
        """Refuse usernames of guests."""
        username: str = self.cleaned_data["username"]
        validate_not_guest_prefix(username)
        return username


def has_no_users() -> bool:
    """Whether the site has no user yet, not even a guest."""
    return not User.objects.exists()


@transaction.atomic
def create_first_administrator(form: FirstAdministratorForm) -> User | None:
    """Store the account of a valid form as a superuser's.

    Returns:
        The administrator; None when the site has a user by now. Of two simultaneous visitors one succeeds.
    """
    # This row always exists, and no other code locks it. SQLite has locked the whole database already.
    ContentType.objects.select_for_update().get(app_label="accounts", model="user")
    if not has_no_users():
        return None
    form.instance.is_staff = form.instance.is_superuser = True
    administrator: User = form.save()
    return administrator
