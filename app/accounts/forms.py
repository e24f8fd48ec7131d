"""The forms for guests and for new accounts."""

from typing import Any, ClassVar

from allauth.account.forms import SignupForm as BaseSignupForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import NAME_CHARS, User
from accounts.names import clean_name


class GuestForm(forms.Form):
    """A guest's name, and the page to show afterwards."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=NAME_CHARS,
        strip=False,  # clean_name strips more kinds of blanks
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "spellcheck": "false"}),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        """Apply the rules for display names."""
        return clean_name(self.cleaned_data["name"])


class SignupForm(BaseSignupForm):
    """allauth's form with a display name."""

    field_order: ClassVar[list[str]] = ["username", "display_name", "email", "password1"]

    display_name = forms.CharField(
        label=_("Display name (optional)"),
        help_text=_("The name that others see. If you leave it empty, they see your username."),
        max_length=NAME_CHARS,
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("You sign in with this name.")
        if "password1" in self.fields:  # sign-up with a passkey has none
            help_text = _("At least 8 characters, not only digits, and not a common password.")
            self.fields["password1"].help_text = help_text
        if "email" in self.fields:
            self.fields["email"].help_text = _("Used only to reset a forgotten password.")

    def clean_display_name(self) -> str:
        """Apply the rules for display names; an empty one is valid."""
        name = self.cleaned_data["display_name"]
        return clean_name(name) if name.strip() else ""

    def signup(self, request: HttpRequest, user: User) -> None:
        """Store the display name; allauth calls this once the account is stored."""
        user.display_name = self.cleaned_data["display_name"]
        user.save(update_fields=["display_name"])
