"""Read a number that a request carries."""

# Longer ones are no keys and no counters, and no database takes them.
LONGEST = 18


def whole_number(text: str) -> int | None:
    """Return the number ``text`` stands for; None when it is not one, or too long to be one."""
    if text.isascii() and text.isdecimal() and len(text) <= LONGEST:
        return int(text)
    return None
