"""What begins the item of a list: a bullet, a short number or one letter, then white space."""

from __future__ import annotations

import re

# "•", "-", "1.", "୧)", "(କ)", "a)", "iv."
LIST_MARKER = re.compile(
    r"(?:[•‣▪◦●○■□*·–—→-]|"
    r"\(?(?:\d{1,3}|[ivx]{1,4}|[A-Za-z]|[\u0b05-\u0b39\u0b5f\u0b71])[.)])\s+"
)


def begins_item(text: str) -> bool:
    """Does a line begin the item of a list?"""
    return LIST_MARKER.match(text) is not None
