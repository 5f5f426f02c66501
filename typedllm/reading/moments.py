"""Dates, times and durations in forms that have one meaning, as ISO 8601; and values with space around them."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                  "november", "december")  # fmt: skip
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")
_BASIC: Final = re.compile(r"((?:19|20)[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = r"([0-9]{1,2})(?:st|nd|rd|th)?\.?"
_GAP: Final = r"(?:\s*-\s*|,?\s+(?:of\s+)?)"
_MONTH: Final = r"([a-z]{3,9})\.?"
_WEEKDAY: Final = re.compile(r"(?i)(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+")
_NAMED_MONTH: Final = {
    order: re.compile(
        "(?i)(?:the\\s+)?" + _GAP.join({"d": _DAY, "m": _MONTH, "y": "([0-9]{4})"}[part] for part in order)
    )
    for order in ("dmy", "mdy", "ymd")
}
_CLOCK: Final = re.compile(
    r"(?i)([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?)?(?:\s*([ap])\.?m\.?)?"
    r"(?:\s*(z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?"
)
_BASIC_BOTH: Final = re.compile(
    r"([0-9]{8})[Tt]([0-9]{2})([0-9]{2})(?:([0-9]{2}))?((?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?)"
)
_DATE_AND_TIME: Final = re.compile(r"(.*?[0-9])(?:[Tt_]|,?\s+(?:at\s+)?)([0-9]{1,2}(?::|\s*[AaPp]\.?[Mm]).*)")
_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]00:00(?::00(?:\.0+)?)?(?:[Zz]|[+-]00:?00)?")
_PLAIN: Final = {
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}[^A-Ya-y]*"),
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt _][0-9]{2}:[0-9]{2}[^A-Ya-y]*"),
}
_SECONDS: Final = 9  # digits of those that have passed since 1970, from March 1973 on
_COUNTED: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_UNITS: Final = {"week": "W", "day": "D", "hour": "H", "hr": "H", "h": "H", "minute": "M", "min": "M", "m": "M", "second": "S",
                 "sec": "S", "s": "S"}  # fmt: skip
_PART: Final = re.compile(rf"(?i)([0-9]+(?:\.[0-9]+)?)\s*({'|'.join(_UNITS)})s?(?![^\W\d_])")
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
    if basic := _BASIC_BOTH.fullmatch(text):
        text = f"{basic[1]}T{basic[2]}:{basic[3]}:{basic[4] or '00'}{basic[5] or ''}"
    found = _DATE_AND_TIME.fullmatch(text)
    day, clock = (_date(found[1]), _clock(found[2])) if found else (None, None)
    return f"{day}T{clock}" if day and clock else None


def tight(text: str, form: str) -> str | None:
    """The text without space around it, where a value of this format has none; None where there is none."""
    bare = text.strip()
    return bare if bare != text and (form in _TIGHT or form in _PLAIN) else None


def is_strict(form: str) -> bool:
    """Whether neither the empty text nor `null` has this format."""
    return form in _TIGHT or form in _PLAIN or form == "duration"


def is_moment(text: str, form: str) -> bool:
    """Whether a text may be a date or a time as ISO 8601 has them, or as pydantic counts them; True for other formats."""
    if form not in _PLAIN or _PLAIN[form].fullmatch(text):
        return True
    return _COUNTED.fullmatch(text) is not None and (form == "date-time" or may_count(text, form))


def may_count(text: str, form: str) -> bool:
    """Whether a number may stand for a value of this format: for a moment, as its seconds since 1970.

    One of few digits is more likely a year, or what a clock shows.
    """
    return form not in _PLAIN or (form != "time" and len(text.partition(".")[0].lstrip("-")) >= _SECONDS)


def _date(text: str) -> str | None:
    weekday = _WEEKDAY.match(text)
    found = _calendar(text[weekday.end() :] if weekday else text)
    if found is None:
        return None
    try:
        day = date(*found)
    except ValueError:
        return "{}-{:02}-{:02}".format(*found) if weekday is None else None
    if weekday and _DAYS[day.weekday()] != weekday[1][:3].lower():
        return None
    return day.isoformat()


def _calendar(text: str) -> tuple[int, int, int] | None:
    """The year, the month and the day."""
    if found := _YEAR_FIRST.fullmatch(text) or _BASIC.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _YEAR_LAST.fullmatch(text):
        one, two = sorted((int(found[1]), int(found[3])))
        return (int(found[4]), one, two) if one <= 12 and (two > 12 or one == two) else None
    for order, pattern in _NAMED_MONTH.items():
        named = pattern.fullmatch(text)
        if named:
            said = dict(zip(order, named.groups(), strict=True))
            month = next((n for n, name in enumerate(_MONTHS, 1) if name.startswith(said["m"].lower())), None)
            return (int(said["y"]), month, int(said["d"])) if month else None
    return None


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
    if units == ["M"] and text.endswith(("m", "M")):
        return None  # months as well
    if at < len(text) or not parts or units == ["D"] or units != sorted(set(units), key="WDHMS".index):
        return None  # days alone are read as they stand
    days = "".join(amount + unit for amount, unit in parts if unit in "WD")
    times = "".join(amount + unit for amount, unit in parts if unit in "HMS")
    return f"P{days}{f'T{times}' if times else ''}"
