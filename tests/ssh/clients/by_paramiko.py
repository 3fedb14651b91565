"""A script on paramiko alone: a shell, and a loop that reads until the prompt. ``how``: the method of signing in."""

import socket

import paramiko

from tests.ssh.clients.order import PATIENCE, Order, deliver, taken

# Where it is this script's turn.
ENDS = ("\r\nadmin:", "(y/n)?", "<q> to quit\x1b[0m")
# What is pressed at a page, without Enter.
KEYS = (" ", "q")


def connected(order: Order) -> paramiko.Transport:
    """Return a connection that has signed in by the one method."""
    transport = paramiko.Transport(socket.create_connection((order.host, order.port), PATIENCE))
    transport.start_client(timeout=PATIENCE)
    if order.how == "password":
        transport.auth_password(order.user, order.password, fallback=False)
    else:
        transport.auth_interactive(order.user, lambda *_: [order.password])
    return transport


def read(channel: paramiko.Channel) -> str:
    """Return what comes up to where something is to be typed, or to the end of the connection."""
    text = ""
    while not text.endswith(ENDS) and (piece := channel.recv(65_536)):
        text += piece.decode()
    return text


def main() -> None:
    """Type each line at the prompt, at a question, or at the end of a page."""
    order = taken()
    transport = connected(order)
    channel = transport.open_session(timeout=PATIENCE)
    channel.settimeout(PATIENCE)
    channel.get_pty("vt100", width=80, height=order.rows)
    channel.invoke_shell()
    answers = [read(channel)]
    for line in order.lines:
        channel.sendall((line if line in KEYS else f"{line}\n").encode())
        answers.append(read(channel))
    transport.close()
    deliver(answers)


if __name__ == "__main__":
    main()
