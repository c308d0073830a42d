//! Independent clients and servers.
