"""How large, how slow and how many requests may be."""

from django.conf import settings

MEGABYTE = 1024 * 1024

# Bytes of a request's body; the largest form (users deleted in Django administration) sends half of it.
BODY = 2 * MEGABYTE
# What a form adds to the file in it.
AROUND_A_FILE = MEGABYTE
# Addresses that take files begin so.
UPLOADS = ("/ccmadmin/bulk/import-users/", "/ccmadmin/bulk/import-cluster/")
# A body up to this is kept in memory and always taken.
SMALL_BODY = 64 * 1024
# Bytes of a request's first line and headers.
HEADERS = 32 * 1024

# Open connections. One more closes the one that has been quiet for longest.
CONNECTIONS = 1000

# Wall seconds that a connection may be open without a request; longer than proxies keep theirs.
QUIET_SECONDS = 75.0
# Wall seconds from the first byte of a request to the end of its headers.
HEADER_SECONDS = 20.0
# Wall seconds from the first byte to the last, and one more for so many bytes of the body.
BODY_SECONDS = 30.0
BYTES_A_SECOND = 8 * 1024
# Wall seconds in which a client takes nothing of its answer.
ANSWER_SECONDS = 60.0


# What our server notes in the WSGI environment: the status it refuses a body with, or 0. The name
# cannot come from a client: headers are upper case there.
REFUSED = "cucm_admin.refused"


def body_limit(path: str) -> int:
    """Return how many bytes the body of a request to ``path`` may have."""
    if path.startswith(UPLOADS):
        return settings.MAX_IMPORT_MB * MEGABYTE + AROUND_A_FILE
    return BODY


def bodies_limit() -> int:
    """Return how many bytes all bodies together may have that are received or worked on at a time."""
    return 4 * body_limit(UPLOADS[0])
