# SPDX-License-Identifier: Apache-2.0
"""DTLS 1.2 with a pre-shared key, for clients that misbehave behind it: GnuTLS, which our own client stands on, called by its C
interface. Nothing here reads or writes a socket: datagrams go in by feed(), and out by a function of the caller's."""
from __future__ import annotations

import collections
import ctypes
import errno

CLIENT, DATAGRAM, NONBLOCK = 2, 4, 8
CRD_PSK, KEY_RAW = 4, 0
AGAIN, INTERRUPTED, TIMED_OUT = -28, -52, -319
WARNING_ALERT, FATAL_ALERT = -16, -12
LARGEST = 16384
# The suites that LwM2M names for pre-shared keys (Transport 1.1 section 5.2.7) among others, and DTLS 1.2 alone.
PRIORITIES = b"NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:+ECDHE-PSK:+AES-128-CCM-8"

Push = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
Pull = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
PullTimeout = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint)


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


class Failed(OSError):
    """No session, or none any more: the text says why."""


def library():
    """GnuTLS; Failed when it is not there."""
    try:
        gnutls = ctypes.CDLL("libgnutls.so.30")
    except OSError as problem:
        raise Failed(f"DTLS needs GnuTLS: {problem}") from problem
    gnutls.gnutls_strerror.restype = gnutls.gnutls_alert_get_name.restype = ctypes.c_char_p
    gnutls.gnutls_record_recv.restype = gnutls.gnutls_record_send.restype = ctypes.c_ssize_t
    gnutls.gnutls_record_send.argtypes = gnutls.gnutls_record_recv.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    return gnutls


class Endpoint:
    """One end of a session. `send(datagram)` is called for each that leaves."""

    role = CLIENT

    def __init__(self, identity: bytes, key: bytes, send):
        self.gnutls, self.arrived, self.open, self.closed = library(), collections.deque(), False, False
        self.session, self.credentials = ctypes.c_void_p(), ctypes.c_void_p()
        self.send_datagram = send
        self.check(self.gnutls.gnutls_init(ctypes.byref(self.session), self.role | DATAGRAM | NONBLOCK))
        self.check(self.gnutls.gnutls_priority_set_direct(self.session, PRIORITIES, None))
        self.take_key(identity, key)
        self.check(self.gnutls.gnutls_credentials_set(self.session, CRD_PSK, self.credentials))
        self.gnutls.gnutls_dtls_set_timeouts(self.session, 1000, 60000)
        # GnuTLS keeps pointers to these.
        self.calls = Push(self.push), Pull(self.pull), PullTimeout(lambda _, milliseconds: len(self.arrived) > 0)
        self.gnutls.gnutls_transport_set_push_function(self.session, self.calls[0])
        self.gnutls.gnutls_transport_set_pull_function(self.session, self.calls[1])
        self.gnutls.gnutls_transport_set_pull_timeout_function(self.session, self.calls[2])

    def take_key(self, identity, key):
        self.check(self.gnutls.gnutls_psk_allocate_client_credentials(ctypes.byref(self.credentials)))
        self.check(self.gnutls.gnutls_psk_set_client_credentials2(self.credentials, ctypes.byref(Datum(identity, len(identity))),
                                                                  ctypes.byref(Datum(key, len(key))), KEY_RAW))

    def reason(self, status):
        if status in (WARNING_ALERT, FATAL_ALERT):
            return f"alert {self.gnutls.gnutls_alert_get_name(self.gnutls.gnutls_alert_get(self.session)).decode()}"
        return self.gnutls.gnutls_strerror(status).decode()

    def check(self, status):
        if status < 0:
            raise Failed(self.reason(status))
        return status

    def push(self, _, data, size):
        self.send_datagram(ctypes.string_at(data, size))
        return size

    def pull(self, _, room, size):
        if not self.arrived:
            self.gnutls.gnutls_transport_set_errno(self.session, errno.EAGAIN)
            return -1
        datagram = self.arrived.popleft()[:size]
        ctypes.memmove(room, datagram, len(datagram))
        return len(datagram)

    def advance(self):
        """Goes on with the handshake, repetitions included; to be called when something arrived and now and then."""
        status = 0 if self.open or self.closed else self.gnutls.gnutls_handshake(self.session)
        if status in (AGAIN, INTERRUPTED):
            return
        self.closed |= status < 0
        self.check(status)
        self.open = not self.closed

    def feed(self, datagram=None):
        """What it says in clear, a list; without a datagram, what is left of those before."""
        if datagram is not None:
            self.arrived.append(datagram)
        self.advance()
        out, room = [], ctypes.create_string_buffer(LARGEST)
        while self.open and not self.closed:
            got = self.gnutls.gnutls_record_recv(self.session, room, LARGEST)
            if got > 0:
                out.append(room.raw[:got])
            elif got in (AGAIN, INTERRUPTED):
                break
            elif got != WARNING_ALERT:
                self.closed = True
        return out

    def send(self, data):
        if self.open and not self.closed:
            self.check(self.gnutls.gnutls_record_send(self.session, data, len(data)))

    def close(self, says=True):
        """`says`: with a close_notify."""
        if self.session and self.open and says:
            self.gnutls.gnutls_bye(self.session, 1)
        if self.session:
            self.gnutls.gnutls_deinit(self.session)
            self.free_key()
        self.session, self.open, self.closed = None, False, True

    def free_key(self):
        self.gnutls.gnutls_psk_free_client_credentials(self.credentials)
