"""Prints a TCP port that nothing listens at on 127.0.0.1: `free_port.py`.

It is for servers that have to be told their port. Servers that take any port, and outgoing connections, get theirs from the system:
from 32768 on (Linux), from 16000 on (gVisor) or from 49152 on (macOS). This port is lower, so that no other program is given it before
the server starts.
"""
import random, socket


def free_port():
    while True:
        port = random.randrange(10_000, 16_000)
        try:
            with socket.create_server(('127.0.0.1', port)):
                return port
        except OSError:
            continue


if __name__ == '__main__':
    print(free_port())
