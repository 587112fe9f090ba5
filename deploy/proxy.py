"""nginx in front of the portal: its configuration filled in, checked, started and stopped."""

import os
import re
import signal
from pathlib import Path

from deploy.place import HOST, ROOT, Place
from deploy.processes import program, run, running, until
from deploy.processes import stop as stop_process

TEMPLATE = ROOT / "deploy" / "nginx.conf"


def nginx() -> Path:
    """Where nginx is; ordinary users do not have its folder in their path."""
    return program("nginx", "nginx-light", "/usr/sbin", "/usr/local/sbin")


def filled(place: Place, template: str) -> str:
    """The configuration for this place; every name of the template has a value."""
    values = {
        "AUTHORITY": place.authority,
        "HOST": HOST,
        "LISTEN": f"127.0.0.1:{place.port}",
        "LISTEN_PLAIN": f"127.0.0.1:{place.plain_port}",
        "PORTAL": f"unix:{place.socket}",
        "CERTIFICATE": str(place.folder / "portal.pem"),
        "KEY": str(place.folder / "portal.key"),
        "ERRORS": str(ROOT / "deploy" / "errors"),
        "FOLDER": str(place.folder),
        "ACCESS_LOG": str(place.folder / "access.log"),
        "ERROR_LOG": str(place.folder / "nginx.log"),
    }
    return re.sub(r"\$\{([A-Z_]+)\}", lambda name: values[name[1]], template)


def start(place: Place, template: str | None = None) -> bool:
    """Start it; whether there was anything to start."""
    if _running(place):
        return False
    configuration = place.folder / "nginx.conf"
    configuration.write_text(filled(place, template or TEMPLATE.read_text()))
    log = place.folder / "nginx.log"
    command: list[str | Path] = [nginx(), "-c", configuration, "-p", place.folder, "-e", log]
    if os.getuid() == 0:
        command += ["-g", "user root;"]  # another user might not reach the folder of the project
    run([*command, "-t", "-q"])
    run(command)
    until(lambda: _running(place) is not None, lambda: "nginx does not start.")
    return True


def stop(place: Place) -> bool:
    """Stop it; whether it ran."""
    return stop_process(place.folder / "nginx.pid", told=_told(place), by=signal.SIGTERM)


def _running(place: Place) -> int | None:
    return running(place.folder / "nginx.pid", told=_told(place))


def _told(place: Place) -> str:
    return f"-c {place.folder / 'nginx.conf'} -p {place.folder}"
