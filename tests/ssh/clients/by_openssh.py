"""OpenSSH's client at a terminal, typed to by pexpect. ``how``: the method of signing in."""

import pexpect

from tests.ssh.clients.order import PATIENCE, deliver, taken

PROMPT = "\r\nadmin:"


def main() -> None:
    """Answer the question for the password, and type each line at the prompt."""
    order = taken()
    options = {
        "PreferredAuthentications": order.how,
        "NumberOfPasswordPrompts": 1,
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
    }
    # Nobody's own configuration.
    words = ["-F", "/dev/null", "-p", str(order.port)]
    words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    client = pexpect.spawn(
        "ssh",
        [*words, f"{order.user}@{order.host}"],
        timeout=PATIENCE,
        encoding="utf-8",
        dimensions=(order.rows, 80),
    )
    client.expect_exact("assword: ")
    client.sendline(order.password)
    answers = []
    for line in [*order.lines, "exit"]:
        client.expect_exact(PROMPT)
        answers.append(client.before)
        # What Enter sends.
        client.send(f"{line}\r")
    client.expect(pexpect.EOF)
    deliver(answers)


if __name__ == "__main__":
    main()
