"""A server in a namespace that takes so many bytes and answers with their SHA-256."""
import hashlib
import socket
import threading

from lab.packets import open_socket


class Sink:
    """Serves one connection after the other until closed."""

    def __init__(self, namespace, address, port, size):
        self.size = size
        self.socket = open_socket(namespace, socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                digest, left = hashlib.sha256(), self.size
                while left and (block := connection.recv(min(left, 65536))):
                    digest.update(block)
                    left -= len(block)
                connection.sendall(digest.hexdigest().encode() + b"\n")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
