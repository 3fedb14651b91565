"""Values that nobody types and somebody sends."""

import random
from collections.abc import Callable

MEGABYTE = 1_000_000
# What every field gets, whatever it is for.
NASTY: tuple[str, ...] = (
    "",
    " ",
    "0",
    "-1",
    "1",
    "2",
    "9" * 18,
    "9" * 19,
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1" + "0" * 400,
    "9" * 5000,
    "1.5",
    "1e400",
    "-1e400",
    "nan",
    "NaN",
    "-inf",
    "Infinity",
    "0x10",
    "1_000",
    "٣",
    "١٢٣٤٥",
    "²",
    "½",
    "\0",
    "a\0b",
    "\ud800",
    "a\udfffb",
    "\r\nSet-Cookie: a=b",
    "\u202egnp.exe",
    "\ufeff",
    "İ",
    "ß" * 300,
    "😀" * 64,
    "e" + "\u0301" * 500,
    "' OR 1=1 --",
    "%",
    "_",
    "\\",
    "%s%n{0}{{7*7}}{% now %}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "//evil.example/",
    "javascript:alert(1)",
    "[]",
    "{}",
    "null",
    "true",
    '{"a": [1, {"b": null}]}',
    "[" * 2000,
    "on",
    "none",
    "None",
    "all",
    "id",
    "-",
    "--",
    "pk__in",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "10000-01-01 00:00:00",
    "2026-02-30 25:61:61",
    "2026-11-22 14:03:00",
    "2026-11-22",
    "1970-01-01",
    "24:00",
    "imp-pub",
    "imp-pub.example.com." + "a" * 300,
    "a@b@c",
    "json://127.0.0.1:99999/x",
    "://",
    "xn--a",
    "::1",
    "999.999.999.999",
    "é" * 127,
)
LONG: tuple[Callable[[], str], ...] = (
    lambda: "a" * MEGABYTE,
    lambda: "9" * MEGABYTE,
    lambda: "\n" * 100_000,
    lambda: "," * 100_000,
)
# Nasty files: name, content.
FILES: tuple[tuple[str, bytes], ...] = (
    ("users.csv", b""),
    ("users.csv", b"\0" * 1000),
    ("users.csv", b"\xff\xfe\xd8\x00"),
    ("users.csv", b"userid,home\n" + b'"' * 5000),
    ("users.csv", b"a,b,c,d,e,f,g\n" * 100),
    ("users.csv", b"a" * 300_000),
    ("../../x.csv", b"a,,a@x\n"),
    ("x" * 600, b"a,,a@x\n"),
    ("a\u202eb.exe", b"MZ\x90\0"),
    ("users.xlsx", b"PK\x03\x04" + bytes(range(256))),
    ("n\0ul.csv", b"a,,a@x,nowhere\n"),
)


def value(dice: random.Random, *, most: int) -> str:
    """Return a nasty value of at most so many characters."""
    if dice.random() < 0.03:
        return dice.choice(LONG)()[:most]
    if dice.random() < 0.1:
        return str(dice.choice((1, -1)) * dice.getrandbits(dice.choice((8, 31, 32, 63, 64, 128))))
    return dice.choice(NASTY)[:most]
