"""Dates, times and durations in forms that have one meaning, as ISO 8601; and values with space around them."""

from __future__ import annotations

import re
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")
_BASIC: Final = re.compile(r"((?:19|20)[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_NAMED_MONTH: Final = re.compile(
    r"(?i)(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
    r"(?:([0-9]{1,2})(?:st|nd|rd|th)?\.?\s+)?([a-z]{3,9})\.?\s+(?:([0-9]{1,2})(?:st|nd|rd|th)?,?\s+)?([0-9]{4})"
)
_CLOCK: Final = re.compile(
    r"(?i)([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?)?(?:\s*([ap])\.?m\.?)?"
    r"(?:\s*(z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?"
)
_DATE_AND_TIME: Final = re.compile(r"(.*?[0-9])(?:[Tt_]|,?\s+(?:at\s+)?)([0-9]{1,2}(?::|\s*[AaPp]\.?[Mm]).*)")
_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]00:00(?::00(?:\.0+)?)?(?:[Zz]|[+-]00:?00)?")
_PLAIN: Final = {
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}[^A-Ya-y]*"),
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt _][0-9]{2}:[0-9]{2}[^A-Ya-y]*"),
}
_UNITS: Final = {"week": "W", "day": "D", "hour": "H", "hr": "H", "h": "H", "minute": "M", "min": "M", "second": "S",
                 "sec": "S", "s": "S"}  # fmt: skip
_PART: Final = re.compile(rf"(?i)([0-9]+(?:\.[0-9]+)?)\s*({'|'.join(_UNITS)})s?\b")
_JOINED: Final = re.compile(r"(?i)(?:,|\s|\band\b)*")
_TIGHT: Final = frozenset(
    {"uuid", "ipv4", "ipv6", "ipvanyaddress", "ipv4network", "ipv6network", "ipvanynetwork", "ipv4interface"}
    | {"ipv6interface", "ipvanyinterface", "uri", "multi-host-uri", "email", "hostname"}
)


def iso(text: str, form: str) -> str | None:
    """The same date, time or duration as ISO 8601.

    Args:
        text: what was written.
        form: the declared `format`: `date`, `date-time`, `time` or `duration`.

    Returns:
        None when it has not one meaning, or is ISO 8601 as it stands.
    """
    text = text.strip()
    if form == "duration":
        return _duration(text)
    if form not in _PLAIN or len(text) > 60 or _PLAIN[form].fullmatch(text):
        return None
    if form == "date":
        midnight = _MIDNIGHT.fullmatch(text)
        return midnight[1] if midnight else _date(text)
    if form == "time":
        return _clock(text)
    found = _DATE_AND_TIME.fullmatch(text)
    date, clock = (_date(found[1]), _clock(found[2])) if found else (None, None)
    return f"{date}T{clock}" if date and clock else None


def tight(text: str, form: str) -> str | None:
    """The text without space around it, where a value of this format has none; None where there is none."""
    bare = text.strip()
    return bare if bare != text and (form in _TIGHT or form in _PLAIN) else None


def _date(text: str) -> str | None:
    found = _YEAR_FIRST.fullmatch(text) or _BASIC.fullmatch(text)
    if found:
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    named = _NAMED_MONTH.fullmatch(text)
    if named is None or bool(named[1]) == bool(named[3]) or named[2][:3].lower() not in _MONTHS:
        return None
    return f"{named[4]}-{_MONTHS.index(named[2][:3].lower()) + 1:02}-{int(named[1] or named[3]):02}"


def _clock(text: str) -> str | None:
    found = _CLOCK.fullmatch(text)
    if found is None or not (found[2] or found[5]):
        return None
    hour, half = int(found[1]), (found[5] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    zone = (found[6] or "").upper()
    zone = "Z" if zone in ("Z", "UTC", "GMT") else zone
    return f"{hour:02}:{found[2] or '00'}:{found[3] or '00'}{found[4] or ''}{zone}"


def _duration(text: str) -> str | None:
    """Amounts with their units in words, the largest first."""
    at, parts = 0, list[tuple[str, str]]()
    while at < len(text) <= 60 and (found := _PART.match(text, at)):
        parts.append((found[1], _UNITS[found[2].lower()]))
        joined = _JOINED.match(text, found.end())
        at = joined.end() if joined else found.end()
    units = [unit for _, unit in parts]
    if at < len(text) or not parts or units == ["D"] or units != sorted(set(units), key="WDHMS".index):
        return None  # days alone are read as they stand
    days = "".join(amount + unit for amount, unit in parts if unit in "WD")
    times = "".join(amount + unit for amount, unit in parts if unit in "HMS")
    return f"P{days}{f'T{times}' if times else ''}"
