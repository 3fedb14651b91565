"""What the two re-login limits of a node mean for its clients. Pure arithmetic, seconds and clients."""


def expected_peak(clients: int, lower: float, upper: float) -> float:
    """Return the logins per second of clients spread evenly between the limits.

    Equal limits let all of them log in within one second.
    """
    return clients / max(upper - lower, 1)


def expected_until(share: float, lower: float, upper: float) -> float:
    """Return after how many seconds this share (0 to 1) of the clients is back."""
    return lower + share * (upper - lower)


def rate_in_words(rate: float) -> str:
    """Return logins per second as pages show them."""
    return f"{rate:.1f}" if rate >= 0.1 or rate == 0 else "less than 0.1"
