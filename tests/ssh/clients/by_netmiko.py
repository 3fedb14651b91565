"""A script on netmiko. ``how``: its device type."""

import os

# It is read when netmiko is imported.
os.environ["NETMIKO_LINUX_PROMPT_PRI"] = ":"

from netmiko import ConnectHandler

from tests.ssh.clients.order import PATIENCE, deliver, taken


def main() -> None:
    """Find the prompt, and send each line until it comes again."""
    order = taken()
    with ConnectHandler(
        device_type=order.how,
        host=order.host,
        port=order.port,
        username=order.user,
        password=order.password,
        conn_timeout=PATIENCE,
        auth_timeout=PATIENCE,
        banner_timeout=PATIENCE,
        read_timeout_override=PATIENCE,
    ) as device:
        answers = [device.find_prompt()]
        answers += [device.send_command(line) for line in order.lines]
    deliver(answers)


if __name__ == "__main__":
    main()
