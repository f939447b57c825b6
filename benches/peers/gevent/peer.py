"""gevent as a rival: `peer.py WORK TASKS EACH` does one of the works that benches/README.md
describes and prints its figures as `key CPU-time elapsed-time` in nanoseconds. It fails where the
work was not done.
"""

import random
import sys

import gevent
import gevent.event
import gevent.lock
import gevent.queue

import sockets
from stopwatch import Stopwatch, resident_bytes

LONGEST_PAUSE = 1.0
PERMITS = 10
LIMIT = 10.0


def spawn_all_and_join(tasks, body, *arguments):
    gevent.joinall([gevent.spawn(body, *arguments) for _ in range(tasks)], raise_error=True)


def yields(tasks, each):
    clocks = []

    def yield_often():
        gevent.sleep(0)
        if not clocks:  # All greenlets have started.
            clocks.append(Stopwatch())
        for _ in range(each):
            gevent.sleep(0)

    spawn_all_and_join(tasks, yield_often)
    clocks[0].report("time", tasks * each)


def rounds(tasks, each, body):
    """Spawns and joins them all, and then again as often as is asked for."""
    cold = Stopwatch()
    spawn_all_and_join(tasks, body)
    cold.report("cold", tasks)
    warm = Stopwatch()
    for _ in range(each):
        spawn_all_and_join(tasks, body)
    warm.report("warm", tasks * each)


def spawn_and_join(tasks, each):
    rounds(tasks, each, int)


def park_and_kill(tasks, _):
    alarm, never = gevent.event.Event(), gevent.event.Event()
    alive = awake = 0

    def wait_twice():
        nonlocal alive, awake
        alive += 1
        try:
            alarm.wait()
            awake += 1
            never.wait()
        finally:
            alive -= 1

    resident_before = resident_bytes()
    clock = Stopwatch()
    greenlets = [gevent.spawn(wait_twice) for _ in range(tasks)]
    while alive < tasks:
        gevent.sleep(0)
    clock.report("spawn", tasks)
    print(f"resident {(resident_bytes() - resident_before) / tasks:.2f}")

    clock = Stopwatch()
    alarm.set()
    while awake < tasks:
        gevent.sleep(0)
    clock.report("wake", tasks)

    clock = Stopwatch()
    gevent.killall(greenlets)
    assert alive == 0, "every finally ran"
    clock.report("kill", tasks)


def ping_pong(_, each):
    play(each, gevent.queue.SimpleQueue(), gevent.queue.SimpleQueue())


def ping_pong_bounded(_, each):
    play(each, gevent.queue.SimpleQueue(1), gevent.queue.SimpleQueue(1))


def play(each, served, returned):
    def give_back():
        while True:
            returned.put(served.get())

    partner = gevent.spawn(give_back)
    clock = Stopwatch()
    for ball in range(each):
        served.put(ball)
        assert returned.get() == ball, "the ball came back"
    clock.report("time", each)
    partner.kill()


def fan_in(tasks, each):
    messages = gevent.queue.SimpleQueue()

    def produce():
        for number in range(each):
            messages.put(number)

    clock = Stopwatch()
    producers = [gevent.spawn(produce) for _ in range(tasks)]
    total = sum(messages.get() for _ in range(tasks * each))
    clock.report("time", tasks * each)
    assert total == tasks * each * (each - 1) // 2, "all arrived"
    gevent.joinall(producers)


def mutex_free(tasks, each):
    lock_often(tasks, each, lambda: None)


def mutex_held(tasks, each):
    lock_often(tasks, each, lambda: gevent.sleep(0))


def lock_often(tasks, each, hold):
    mutex = gevent.lock.BoundedSemaphore(1)
    counter = 0

    def count_up():
        nonlocal counter
        for _ in range(each):
            with mutex:
                count = counter
                hold()
                counter = count + 1

    clock = Stopwatch()
    spawn_all_and_join(tasks, count_up)
    clock.report("time", tasks * each)
    assert counter == tasks * each, "all was done"


def semaphore(tasks, each):
    permits = gevent.lock.BoundedSemaphore(PERMITS)
    visitors = done = 0

    def visit():
        nonlocal visitors, done
        for _ in range(each):
            with permits:
                visitors += 1
                assert visitors <= PERMITS, "as many holders as permits"
                gevent.sleep(0)
                visitors -= 1
                done += 1

    clock = Stopwatch()
    spawn_all_and_join(tasks, visit)
    clock.report("time", tasks * each)
    assert done == tasks * each, "all was done"


def limit(_, each):
    limit_often(each, int)


def limited_yield(_, each):
    limit_often(each, gevent.sleep, 0)


def limit_often(each, work, *arguments):
    clock = Stopwatch()
    for _ in range(each):
        gevent.with_timeout(LIMIT, work, *arguments)
    clock.report("time", each)


def sleeps(tasks, each):
    slept = 0

    def sleep():
        nonlocal slept
        gevent.sleep(random.uniform(0, LONGEST_PAUSE))
        slept += 1

    rounds(tasks, each, sleep)
    assert slept == tasks * (each + 1), "all slept"


WORKS = {
    "yields": yields,
    "spawn_and_join": spawn_and_join,
    "park_and_kill": park_and_kill,
    "kill_sockets": sockets.kill_sockets,
    "ping_pong": ping_pong,
    "ping_pong_bounded": ping_pong_bounded,
    "fan_in": fan_in,
    "mutex_free": mutex_free,
    "mutex_held": mutex_held,
    "semaphore": semaphore,
    "limit": limit,
    "limited_yield": limited_yield,
    "sleeps": sleeps,
    "echo": sockets.echo,
}

if __name__ == "__main__":
    work, tasks, each = sys.argv[1:]
    # The driver is a greenlet too.
    gevent.spawn(WORKS[work], int(tasks), int(each)).get()
