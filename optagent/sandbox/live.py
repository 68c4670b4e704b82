"""A contestant under way: its channel, its process id as the kernel knows it, its clocks, its brake."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from optagent.core import frames
from optagent.errors import SandboxBroken
from optagent.sandbox import clocks

CREDENTIALS, DESCRIPTORS = struct.Struct("3i"), struct.Struct("4i")
GRACE_S = 5.0
KEEPER_GRACE_S = 30.0
"""What a keeper has to remove may be many files."""

STARTUP_S = 30.0
LAST_WORDS = 4096
LOOK_S = 0.5
"""A thread that is interrupted by another one does not hear of it while it waits."""


class ChannelClosed(Exception):
    """The contestant is gone or no longer speaks our language: its own doing, a fact for a verdict."""


class Overdue(Exception):
    """The contestant did not answer within the time it was given."""


def kill(process: subprocess.Popen[bytes], is_kept: bool = False) -> None:
    """The process group gone and the leader reaped. One that keeps others is asked first: it ends them, then itself.
    Raises SandboxBroken where the kernel does not let it end."""
    if process.returncode is None and is_kept:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(KEEPER_GRACE_S)
    if process.returncode is None:  # once reaped, the number may be somebody else's
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            raise SandboxBroken(
                f"process {process.pid} of the sandbox does not end although it was killed: the kernel waits for "
                "something, such as a disk or a network share",
                f"Run `cat /proc/{process.pid}/stack` as root to see what, and try again when it has ended.",
            ) from None


def wait_for_end(handle: int) -> None:
    """The process behind a pidfd has ended, or GRACE_S have passed. Closes the descriptor."""
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    ended.poll(GRACE_S * 1000)
    os.close(handle)


class Live:
    """Owns the process tree and the socket. Use as a context manager: afterwards nothing of it runs. Without `process`
    it is a fork of somebody else's, which is one process and can start no other."""

    def __init__(
        self,
        process: subprocess.Popen[bytes] | None,
        channel: socket.socket,
        stderr: Any = None,
        is_kept: bool = False,
    ) -> None:
        self.process, self.is_kept = process, is_kept
        self.channel = channel
        self.pid = 0
        self.stderr = stderr
        self.handle = -1
        """A descriptor of the process, once it is known."""
        self.is_closed = False
        self._schedstat: int | None = None

    @property
    def is_fork(self) -> bool:
        return self.process is None

    def greet(self) -> dict[str, Any]:
        """The worker's first frame. The process id comes from the kernel with it, not from the worker's word.

        Raises SandboxBroken when no worker answers: at this moment no code of a candidate has run.
        """
        self.channel.settimeout(STARTUP_S)
        try:
            first, ancillary, _, _ = self.channel.recvmsg(8, socket.CMSG_SPACE(CREDENTIALS.size), socket.MSG_PEEK)
            self.pid = CREDENTIALS.unpack(ancillary[0][2][: CREDENTIALS.size])[0] if first else 0
            if not self.pid:
                raise ChannelClosed
            if self.handle < 0:
                with suppress(ProcessLookupError):  # what it says is still there; after that its channel is closed
                    self.handle = os.pidfd_open(self.pid)
            return self.receive(STARTUP_S)[0]
        except (OSError, IndexError, struct.error, ChannelClosed, Overdue):
            said = self.last_words()
            self.close()
            raise SandboxBroken(
                f"the worker did not start in the sandbox{': ' + said if said else ''}",
                "Run `optagent doctor` to see which sandbox works here.",
            ) from None

    def send(self, header: dict[str, Any], blobs: list[bytes] | None = None) -> None:
        self.send_raw(frames.pack(header, blobs or []))

    def send_raw(self, data: bytes) -> None:
        self.channel.settimeout(STARTUP_S)
        try:
            self.channel.sendall(data)
        except TimeoutError:
            raise Overdue from None
        except OSError:
            raise ChannelClosed from None

    def send_with(self, descriptors: Sequence[int], data: bytes) -> None:
        """The same with descriptors of ours, which the process gets as its own."""
        self.channel.settimeout(STARTUP_S)
        try:
            socket.send_fds(self.channel, [data[:1]], descriptors)
        except TimeoutError:
            raise Overdue from None
        except OSError:
            raise ChannelClosed from None
        self.send_raw(data[1:])

    def receive(self, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """The next frame within `seconds`. Raises Overdue or ChannelClosed."""
        return self._framed(seconds)

    def _framed(self, seconds: float, begun: bytes = b"") -> tuple[dict[str, Any], list[bytes]]:
        """The frame that begins with these bytes."""
        deadline, kept = time.monotonic() + seconds, bytearray(begun)

        def take(size: int) -> bytes:
            head = bytes(kept[:size])
            del kept[:size]
            return head + self._take(size - len(head), deadline)

        try:
            return frames.read(take)
        except frames.Malformed:
            raise ChannelClosed from None

    def receive_with(self) -> tuple[dict[str, Any], list[int]]:
        """The next frame, without blobs, and the descriptors that came with its first byte, which are ours to close."""
        self.channel.settimeout(STARTUP_S)
        room = socket.CMSG_SPACE(CREDENTIALS.size) + socket.CMSG_SPACE(DESCRIPTORS.size)
        try:
            first, ancillary, _, _ = self.channel.recvmsg(1, room)
        except TimeoutError:
            raise Overdue from None
        except OSError:
            raise ChannelClosed from None
        rights = b"".join(data for _, kind, data in ancillary if kind == socket.SCM_RIGHTS)
        descriptors = list(struct.unpack(f"{len(rights) // 4}i", rights))
        try:
            return self._framed(STARTUP_S, first)[0], descriptors
        except (ChannelClosed, Overdue):
            for one in descriptors:
                os.close(one)
            raise

    def is_heard(self) -> bool:
        """Whether it says something before it is gone or late; that stays to be received."""
        self.channel.settimeout(STARTUP_S)
        try:
            return bool(self.channel.recvmsg(1, 0, socket.MSG_PEEK)[0])
        except OSError:
            return False

    def receive_byte(self, seconds: float) -> bytes:
        """One byte, for the signals around a timed block, where a frame would cost more than it says."""
        self.channel.settimeout(seconds)
        try:
            data = self.channel.recv(1)
        except TimeoutError:
            raise Overdue from None
        except OSError:
            raise ChannelClosed from None
        if not data:
            raise ChannelClosed
        return data

    def _take(self, size: int, deadline: float) -> bytes:
        chunks = bytearray()
        while len(chunks) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Overdue
            self.channel.settimeout(min(left, LOOK_S))
            try:
                chunk = self.channel.recv(min(size - len(chunks), 1 << 20))
            except TimeoutError:
                continue
            except OSError:
                raise ChannelClosed from None
            if not chunk:
                raise ChannelClosed
            chunks += chunk
        return bytes(chunks)

    def cpu_ns(self) -> int:
        try:
            return clocks.cpu_ns(self.pid)
        except OSError:
            raise ChannelClosed from None

    def peak_memory_bytes(self) -> int:
        try:
            return clocks.peak_memory_bytes(self.pid)
        except OSError:
            raise ChannelClosed from None

    def waits(self) -> clocks.Waits | None:
        """What its first thread ran and waited; None where the kernel does not tell, or no longer."""
        if self._schedstat is None and not self.is_closed:
            self._schedstat = clocks.open_schedstat(self.pid)
        try:
            return clocks.waits_of(os.pread(self._schedstat, 100, 0)) if self._schedstat is not None else None
        except OSError:
            return None

    def halt(self) -> None:
        """Stops every thread of the contestant until `proceed`."""
        self._signal(signal.SIGSTOP)

    def proceed(self) -> None:
        self._signal(signal.SIGCONT)

    def pin(self, core: int) -> None:
        """Keeps the contestant on one core, all threads that it has and will start."""
        try:
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                os.sched_setaffinity(int(thread), {core})
        except OSError:
            raise ChannelClosed from None

    def _signal(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self.handle, number)
        except OSError:
            raise ChannelClosed from None

    def last_words(self) -> str:
        """The last line the process wrote to its standard error, for people."""
        if self.stderr is None:
            return ""
        self.stderr.seek(max(0, self.stderr.seek(0, os.SEEK_END) - LAST_WORDS))
        lines = self.stderr.read(LAST_WORDS).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def close(self) -> None:
        """Kills the whole tree and waits until it is gone. Holds no file afterwards, whatever is raised."""
        self.is_closed = True
        self.channel.close()
        try:
            self._end()
        finally:
            if self.handle >= 0:
                wait_for_end(self.handle)
                self.handle = -1
            if self._schedstat is not None:
                os.close(self._schedstat)
                self._schedstat = None
            if self.stderr is not None:
                self.stderr.close()

    def _end(self) -> None:
        if self.process is not None:
            kill(self.process, self.is_kept)
        elif self.handle >= 0:
            with suppress(ProcessLookupError):  # gone already
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
