"""Whether the portal answers at its socket: `python -m deploy.healthy`, exit 0 or 1."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit


def answers(path: Path, host: str) -> bool:
    """Whether the page for monitors is there, asked for under the portal's own host."""
    with socket.socket(socket.AF_UNIX) as ask:
        ask.settimeout(10)
        try:
            ask.connect(str(path))
            ask.sendall(f"GET /healthz/ HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            return ask.recv(1024).split(b"\r\n")[0].endswith(b" 200 OK")
        except OSError:
            return False


if __name__ == "__main__":
    told = os.environ
    raise SystemExit(not answers(Path(told["PORTAL_SOCKET"]), urlsplit(told["PORTAL_URL"]).netloc))
