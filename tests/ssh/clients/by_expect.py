"""A script on paramiko-expect, as public ones are written: its prompt must be the whole last line."""

import paramiko
from paramiko_expect import SSHClientInteraction

from tests.ssh.clients.order import PATIENCE, deliver, taken


def main() -> None:
    """Send each line and expect the prompt; what is delivered is what the library makes of it."""
    order = taken()
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        order.host,
        port=order.port,
        username=order.user,
        password=order.password,
        look_for_keys=False,
        allow_agent=False,
    )
    answers = []
    with SSHClientInteraction(client, timeout=PATIENCE, display=False) as interact:
        assert interact.expect("admin:") == 0
        answers.append(interact.current_output)
        for line in order.lines:
            interact.send(line)
            # Index 1 is a question, as scripts for restarts wait for one.
            interact.expect(["admin:", r"Continue \(y/n\)\?"])
            answers.append(interact.current_output_clean)
    deliver(answers)


if __name__ == "__main__":
    main()
