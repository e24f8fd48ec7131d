"""Whoever comes to an empty site first may make its first administrator."""

from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.guests import not_a_guests
from accounts.models import User


class FirstAdministratorForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    class Meta:
        model = User
        fields = ("username",)

    field_order = ("username", "password1", "password2")

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        not_a_guests(username)
        return username


def is_empty() -> bool:
    """Nobody has an account here, nor has been here as a guest."""
    return not User.objects.exists()


@transaction.atomic
def make_first_administrator(form: FirstAdministratorForm) -> User | None:
    """Store the account of a valid form as a superuser's. None when somebody was faster: of two at once, one wins."""
    # A row that always exists and that nobody else locks. SQLite has locked everything already.
    ContentType.objects.select_for_update().get(app_label="accounts", model="user")
    if not is_empty():
        return None
    form.instance.is_staff = form.instance.is_superuser = True
    administrator: User = form.save()
    return administrator
