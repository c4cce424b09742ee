"""One thread that owns the pipeline from birth to death and always works on the newest image."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import Any, Callable, Deque, Optional, Tuple

Task = Tuple[Callable[[Any], Any], "Future[Any]"]


class Worker:
    """Runs `make()` and then everything that needs its result in a thread of its own.

    Images wait in a slot of one: a newer one replaces an older one, which counts as dropped. No queue.
    """

    def __init__(self, make: Callable[[], Any], handle: Callable[[Any, Any], None]) -> None:
        """make: builds the thing that the thread owns; it is closed at the end. handle: called with the thing
        and each image; it must not raise."""
        self._make = make
        self._handle = handle
        self._ready: Future[Any] = Future()
        self._wake = threading.Condition()
        self._image: Optional[Any] = None
        self._tasks: Deque[Task] = deque()
        self._at_work = False
        self._stopping = False
        self.dropped = 0
        # A daemon, since loading a file inside a C++ library cannot be interrupted at shutdown.
        self._thread = threading.Thread(target=self._run, name="perception", daemon=True)

    def start(self) -> Future[Any]:
        """Start the thread; the future tells when the thing is made, or why not."""
        self._thread.start()
        return self._ready

    def offer(self, image: Any) -> None:
        """Hand over a newer image; one that still waits is dropped and counted."""
        with self._wake:
            if self._image is not None:
                self.dropped += 1
            self._image = image
            self._wake.notify_all()

    def let_work(self, longest_s: float) -> None:
        """Wait until the image offered last has been worked on, or until it is too long.

        While two threads want Python's lock they take it from each other; what the caller has to do beside
        is rather done when the answer is out. Where the worker is behind, and the image waits for one before
        it, there is nothing to wait for.
        """

        def done_or_behind() -> bool:
            waits = self._image is not None
            return self._stopping or waits == self._at_work

        with self._wake:
            self._wake.wait_for(done_or_behind, longest_s)

    def call(self, function: Callable[[Any], Any]) -> Future[Any]:
        """Run `function(thing)` in the thread, between two images."""
        future: Future[Any] = Future()
        with self._wake:
            if self._stopping:
                future.set_exception(RuntimeError("the worker has stopped"))
            else:
                self._tasks.append((function, future))
                self._wake.notify_all()
        return future

    def clear(self) -> None:
        """Forget the image that waits, if any."""
        with self._wake:
            self._image = None
            self._wake.notify_all()

    def stop(self, timeout_s: float) -> bool:
        """End after the image in hand; False where the thread is still busy after `timeout_s`.

        Making the thing is not waited for: it may take seconds, and cannot be interrupted.
        """
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive() and self._ready.done():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            thing = self._make()
        except Exception as error:
            self._ready.set_exception(error)
            return
        try:
            self._ready.set_result(thing)
            while self._step(thing):
                pass
        finally:
            thing.close()

    def _step(self, thing: Any) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._tasks or self._image is not None)
            if self._stopping:
                self._cancel_tasks()
                return False
            tasks, self._tasks = self._tasks, deque()
            image, self._image = self._image, None
            self._at_work = image is not None
        for function, future in tasks:
            if not future.set_running_or_notify_cancel():
                continue  # who asked has given up, and counts on nothing having changed
            try:
                future.set_result(function(thing))
            except Exception as error:
                future.set_exception(error)
        if image is not None:
            self._handle(thing, image)
            with self._wake:
                self._at_work = False
                self._wake.notify_all()
        return True

    def _cancel_tasks(self) -> None:
        while self._tasks:
            self._tasks.popleft()[1].cancel()
