"""The SSH process: takes its socket from whoever started it, or opens it at ``BIND`` and ``SSH_PORT``."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from cucm_admin.stack import checks


def main(arguments: list[str]) -> None:
    """Let users in until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m redundancy.ssh", description=__doc__)
    parser.add_argument("--fd", type=int, help="a listening socket that this process inherited")
    descriptor = parser.parse_args(arguments).fd
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    if descriptor is None:
        ours, why = checks.listen_for(checks.SSH, checks.bind_address(), must=True)
    else:
        ours, why = socket.socket(fileno=descriptor), ""
    if ours is None:
        sys.exit(why or "SSH is not served: SSH_PORT is 0")
    import django

    django.setup()
    from cucm_admin import joining

    joining.join_when_possible()
    with ours, suppress(KeyboardInterrupt):
        if wrong := asyncio.run(_serve(ours)):
            sys.exit(f"This process ends. {wrong}")


async def _serve(ours: socket.socket) -> str:
    """Serve until a signal comes, or this process fits the installation no more; return why it does not."""
    from django.conf import settings

    from cucm_admin import joining
    from cucm_admin.dialled import Addresses, seen
    from redundancy.selectors.loopback import powered_nodes
    from redundancy.ssh.keys import host_keys
    from redundancy.ssh.server import House, door, listen

    house = House(settings.SSH_SESSIONS, may_exec=settings.SSH_EXEC, by_node=settings.SSH_NODES)
    keys = await asyncio.to_thread(host_keys, settings.VAR_DIR / "ssh")
    ended, looking = asyncio.Event(), ThreadPoolExecutor(1)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)

    addresses = Addresses(ours, door(house, keys)) if settings.SSH_NODES else None
    async with await listen(ours, keys, house) as server:
        sys.stdout.write(f"SSH listens on port {server.get_port()}\n")
        sys.stdout.flush()
        watch = joining.Watch()
        in_thread = asyncio.get_running_loop().run_in_executor
        while not ended.is_set() and not watch.wrong:
            # One thread looks, so that there is one connection.
            if addresses:
                await addresses.follow(await in_thread(looking, seen, powered_nodes))
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), joining.LOOK_SECONDS)
            await in_thread(looking, watch.look)
        if addresses:
            addresses.close()
    return watch.wrong


if __name__ == "__main__":
    main(sys.argv[1:])
