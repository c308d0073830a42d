"""A TLS client that is GnuTLS and nothing else, as Samba uses it.

Arguments: priority string, CA file, host name, address, port. Prints the name of the error that
ended the handshake, or `ok` and the status that gnutls_certificate_verify_peers3 gives. Without
arguments it prints nothing.
"""

import ctypes
import socket
import sys

CLIENT = 2
CREDENTIALS_CERTIFICATE = 1
FORMAT_PEM = 1
AGAIN, INTERRUPTED = -28, -52

gnutls = ctypes.CDLL("libgnutls.so.30")
gnutls.gnutls_strerror_name.restype = ctypes.c_char_p


def must(code):
    if code < 0:
        sys.exit(gnutls.gnutls_strerror_name(code).decode())


def handshake(address, port, priority, ca_file, host):
    credentials, session = ctypes.c_void_p(), ctypes.c_void_p()
    must(gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(credentials)))
    must(gnutls.gnutls_certificate_set_x509_trust_file(credentials, ca_file, FORMAT_PEM))
    must(gnutls.gnutls_init(ctypes.byref(session), CLIENT))
    must(gnutls.gnutls_priority_set_direct(session, priority, None))
    must(gnutls.gnutls_credentials_set(session, CREDENTIALS_CERTIFICATE, credentials))
    try:
        with socket.create_connection((address, port)) as connection:
            gnutls.gnutls_transport_set_int2(session, connection.fileno(), connection.fileno())
            code = AGAIN
            while code in (AGAIN, INTERRUPTED):
                code = gnutls.gnutls_handshake(session)
            if code < 0:
                return gnutls.gnutls_strerror_name(code).decode()
            status = ctypes.c_uint()
            must(gnutls.gnutls_certificate_verify_peers3(session, host, ctypes.byref(status)))
            return f"ok {status.value:#x}"
    finally:
        gnutls.gnutls_deinit(session)
        gnutls.gnutls_certificate_free_credentials(credentials)


if len(sys.argv) > 1:
    priority, ca_file, host = (argument.encode() for argument in sys.argv[1:4])
    print(handshake(sys.argv[4], int(sys.argv[5]), priority, ca_file, host))
