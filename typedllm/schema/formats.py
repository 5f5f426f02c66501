"""The values of `format` that are held against a text: those that the standard library can decide."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 4096
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"(\d\d:\d\d:)(\d\d)(?:\.\d{1,20})?(?:[zZ]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII)
_DURATION: Final = re.compile(
    r"P(?!$)(?:\d+W|(?:\d+Y(?=\d+M|T|$))?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H(?=\d+M|$))?(?:\d+M)?(?:\d+S)?)?)", re.ASCII
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL: Final = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\r\n]|\\.)+\")@(.+)", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    start, second, sign, hours, minutes = found.groups()
    try:
        clock = datetime.fromisoformat(f"2000-01-01T{start}{'59' if second == '60' else second}")
    except ValueError:
        return False
    if second != "60":
        return True
    # RFC 3339: a leap second is the last one of a day, in UTC.
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return format(clock + ahead if sign == "-" else clock - ahead, "%H:%M") == "23:59"


def _is_date_time(text: str) -> bool:
    return text[10:11] in ("T", "t") and _is_date(text[:10]) and _is_time(text[11:])


def _is_hostname(text: str) -> bool:
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def _is_email(text: str) -> bool:
    found = _EMAIL.fullmatch(text)
    if found is None:
        return False
    domain = found[1]
    if domain.startswith("[") and domain.endswith("]"):
        inside = domain[1:-1]
        return _is_ipv6(inside[5:]) if inside.lower().startswith("ipv6:") else _is_ipv4(inside)
    return _is_hostname(domain)


def _is_ipv4(text: str) -> bool:
    try:
        return text.isascii() and str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def _is_ipv6(text: str) -> bool:
    try:
        return text.isascii() and "%" not in text and IPv6Address(text).version == 6
    except AddressValueError:
        return False


def _is_uri(text: str) -> bool:
    if not _URI.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        outside = parts.path + parts.query + parts.fragment + parts.netloc.rpartition("@")[0]
        return not ({"[", "]"} & set(outside)) and "#" not in parts.fragment and (parts.port or 0) >= 0
    except ValueError:
        return False


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "uri": _is_uri,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}


def conforms(text: str, name: str) -> bool:
    """Whether a text is of that format; a format that is not decided here takes any text.

    RFC 3339 for dates and times (with their offset), RFC 5321 for addresses of mail, RFC 1123 for host names,
    RFC 3986 for URIs. A text of more than 4,096 characters is of none of these.
    """
    check = FORMATS.get(name)
    return check is None or (len(text) <= _LONGEST and check(text))
