"""Greenlets that read sockets."""

import gevent
from gevent import socket

from stopwatch import Stopwatch

ADDRESS = ("127.0.0.1", 0)
BUFFER_BYTES = 4096
BACKLOG = 4096


def kill_sockets(tasks, _):
    far_ends, near_ends = connect_pairs(tasks)
    alive = 0

    def read(near):
        nonlocal alive
        alive += 1
        try:
            with near:
                near.recv(1)
            raise AssertionError("nobody writes")
        finally:
            alive -= 1

    greenlets = [gevent.spawn(read, near) for near in near_ends]
    near_ends.clear()
    while alive < tasks:
        gevent.sleep(0)

    clock = Stopwatch()
    gevent.killall(greenlets)
    assert alive == 0, "every finally ran"
    clock.report("time", tasks)
    for far in far_ends:
        assert far.recv(1) == b"", "the near end was closed"


def connect_pairs(count):
    listener = listen()
    far_ends, near_ends = [], []
    for _ in range(count):
        far_ends.append(socket.create_connection(listener.getsockname()))
        near_ends.append(listener.accept()[0])
    return far_ends, near_ends


def listen():
    # create_server is the standard library's, and blocks.
    listener = socket.socket()
    listener.bind(ADDRESS)
    listener.listen(BACKLOG)
    return listener


def echo(_, __):
    """Serves until it is ended from outside."""
    listener = listen()
    print("%s:%d" % listener.getsockname(), flush=True)
    while True:
        gevent.spawn(echo_one, listener.accept()[0])


def echo_one(connection):
    with connection:
        while data := connection.recv(BUFFER_BYTES):
            connection.sendall(data)
