"""The site of this host whose release this file belongs to: NAME in /opt/NAME/releases/VERSION."""

from pathlib import Path

RELEASE = Path(__file__).resolve().parent.parent  # whichever release serves
ROOT = RELEASE.parent.parent
CHAT = "parley"
SITE = ROOT.name if RELEASE.parent.name == "releases" else CHAT  # a checkout examines a host with the chat
SETTINGS = Path(f"/etc/{SITE}/{SITE}.env")  # of the site's units
