"""A script that has a node failed over and watches the status until its users are served by the peer.

On netmiko, and by the expression that public scripts read `utils ha status` with. ``lines``: what is to be done.
``how``: the first words of the two states at which the watch ends.
"""

import re
import time

from netmiko import ConnectHandler

from tests.ssh.clients.order import PATIENCE, deliver, taken

NODE = re.compile(r"\tName:\s+(\S+).*?State:\s+(\S+).*?Reason:\s+(\S+)", re.DOTALL)


def main() -> None:
    """Deliver what was seen, each time in one line, the first one before anything was done."""
    order = taken()
    with ConnectHandler(
        device_type="generic",
        host=order.host,
        port=order.port,
        username=order.user,
        password=order.password,
        read_timeout_override=PATIENCE,
    ) as device:

        def look(command: str = "utils ha status") -> str:
            found = NODE.findall(device.send_command(command))
            return ", ".join(" ".join(node) for node in found)

        device.send_command("set cli pagination off")
        device.send_command("set cli style field")
        seen = [look(), *(look(line) for line in order.lines)]
        deadline = time.monotonic() + 2 * PATIENCE
        while re.findall(r"\S+ (\S+) \S+", seen[-1]) != order.how.split():
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
            seen.append(look())
    deliver(seen)


if __name__ == "__main__":
    main()
