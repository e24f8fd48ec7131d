"""Calendar events in systemd's notation (systemd.time(7)), for timers in containers, which have no systemd.

Understood are the shorthands (daily), weekdays (Mon..Fri), dates and times with lists, ranges and repetitions
(*-*-01 03:00, *:0/15). A time zone is not: containers run in UTC. Needs no packages.
"""

import datetime as dt
import re
from dataclasses import dataclass

SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = re.compile(
    r"(?:(?P<weekdays>[A-Za-z][A-Za-z.,]*?),?(?:\s+|$))?"
    r"(?:(?P<date>[\d*/,.]+(?:-[\d*/,.]+){1,2})(?:\s+|$))?"
    r"(?P<time>[\d*/,.]+:[\d*/,.]+(?::[\d*/,.]+)?)?(?:\s+UTC)?"
)
PART = re.compile(r"(?:(?P<any>\*)|(?P<first>\d+)(?:\.\.(?P<last>\d+))?)(?:/(?P<step>\d+))?")
YEARS = (1970, 2199)
SEARCHED_DAYS = 366 * 8  # 29 February comes at least every eight years


class WrongCalendar(ValueError):
    """A calendar event that is none, or that containers do not understand."""


@dataclass(frozen=True)
class Calendar:
    """One calendar event: the values that each part of a moment may have, in UTC."""

    weekdays: frozenset[int]
    years: frozenset[int]
    months: frozenset[int]
    days: frozenset[int]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]

    def next_after(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the first moment of the event after `moment`; None when there is none in the next eight years."""
        earliest = moment.replace(microsecond=0) + dt.timedelta(seconds=1)
        for offset in range(SEARCHED_DAYS):
            day = earliest.date() + dt.timedelta(days=offset)
            if not self.has_day(day):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    for second in self.seconds:
                        found = dt.datetime.combine(day, dt.time(hour, minute, second), dt.UTC)
                        if found >= earliest:
                            return found
        return None

    def has_day(self, day: dt.date) -> bool:
        """Return whether the event happens on this day."""
        return (
            day.year in self.years
            and day.month in self.months
            and day.day in self.days
            and day.weekday() in self.weekdays
        )


def parse_calendar(text: str) -> Calendar:
    """Return the event that the text describes.

    Raises:
        WrongCalendar: the text describes none.
    """
    text = text.strip()
    found = FORM.fullmatch(SHORTHANDS.get(text.lower(), text))
    if not text or not found:
        raise WrongCalendar(f'"{text}" is no calendar event that containers understand')
    date = (found["date"] or "*-*-*").split("-")
    time = (found["time"] or "00:00:00").split(":")
    if len(date) == 2:
        date.insert(0, "*")
    if len(time) == 2:
        time.append("00")
    try:
        return Calendar(
            weekdays=parse_weekdays(found["weekdays"]),
            years=frozenset(parse_numbers(date[0], *YEARS)),
            months=frozenset(parse_numbers(date[1], 1, 12)),
            days=frozenset(parse_numbers(date[2], 1, 31)),
            hours=parse_numbers(time[0], 0, 23),
            minutes=parse_numbers(time[1], 0, 59),
            seconds=parse_numbers(time[2], 0, 59),
        )
    except WrongCalendar as wrong:
        raise WrongCalendar(f'"{text}" is no calendar event that containers understand: {wrong}') from None


def parse_weekdays(text: str | None) -> frozenset[int]:
    """Return the numbers of the weekdays, Monday is 0. Raises WrongCalendar."""
    if not text:
        return frozenset(range(7))
    numbers: set[int] = set()
    for part in text.lower().rstrip(",").split(","):
        names = [name[:3] for name in part.split("..")]
        if len(names) > 2 or not all(name in WEEKDAYS for name in names):
            raise WrongCalendar(f"{part} is no weekday")
        first, last = WEEKDAYS.index(names[0]), WEEKDAYS.index(names[-1])
        if first > last:
            raise WrongCalendar(f"{part} goes backwards; the week begins on Monday")
        numbers.update(range(first, last + 1))
    return frozenset(numbers)


def parse_numbers(text: str, smallest: int, largest: int) -> tuple[int, ...]:
    """Return the numbers that a part such as *, 0/15, 1..5 or 1,3 stands for, in order. Raises WrongCalendar."""
    numbers: set[int] = set()
    for part in text.split(","):
        found = PART.fullmatch(part)
        if not found:
            raise WrongCalendar(f"{part} is no number")
        step = int(found["step"] or 0)
        first = smallest if found["any"] else int(found["first"])
        last = int(found["last"] or (largest if found["any"] or step else first))
        chosen = range(first, last + 1, step or 1)
        if not chosen or first < smallest or last > largest:
            raise WrongCalendar(f"{part} is not within {smallest} and {largest}")
        numbers.update(chosen)
    return tuple(sorted(numbers))
