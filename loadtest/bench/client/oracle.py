"""Whether each member got each message once and in its sender's order.

Messages are numbered through, and said in turn by the senders: message n by sender n % senders. A contender owes
the order of one sender's messages; two senders may overtake each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Track:
    """One member's: for each sender, the number that is due next; and those that were passed over."""

    due: list[int]
    missing: set[int] = field(default_factory=set)


class Oracle:
    """Call `unexpected` for every number that is not the due one, `settle` when nothing more will come."""

    def __init__(self, senders: int) -> None:
        self.senders = senders
        self.settled = 0  # numbers below it have been judged; what still comes of them counts no more
        self.lost = self.duplicate = self.reordered = self.stale = 0

    def new_track(self) -> Track:
        """Of a member who comes now."""
        return Track([self._first_from(self.settled, sender) for sender in range(self.senders)])

    def _first_from(self, number: int, sender: int) -> int:
        return number + (sender - number) % self.senders

    def unexpected(self, track: Track, number: int) -> None:
        """The member got this number, but not as the due one."""
        sender = number % self.senders
        due = track.due[sender]
        if number < self.settled:
            self.stale += 1
        elif number == due:
            track.due[sender] = due + self.senders
        elif number > due:
            track.missing.update(range(due, number, self.senders))
            track.due[sender] = number + self.senders
        elif number in track.missing:
            track.missing.remove(number)
            self.reordered += 1
        else:
            self.duplicate += 1

    def settle(self, tracks: Iterable[Track], said: int) -> None:
        """Numbers below `said` were said, and the time to get them is over: whatever is missing is lost."""
        for track in tracks:
            self.lost += len(track.missing)
            track.missing.clear()
            for sender, due in enumerate(track.due):
                end = self._first_from(said, sender)
                self.lost += (end - due) // self.senders
                track.due[sender] = end
        self.settled = said

    def take_counts(self) -> dict[str, int]:
        """The counts since the last time, which start anew."""
        counts = {name: getattr(self, name) for name in ("lost", "duplicate", "reordered", "stale")}
        self.lost = self.duplicate = self.reordered = self.stale = 0
        return counts
