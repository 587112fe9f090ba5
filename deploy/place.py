"""Where the shape stands on this machine: its folder, its ports, and the secrets it made."""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "localhost"
LONGEST_SOCKET = 100
"""How long the path of a socket may be: the system has room for 107 bytes."""
OURS = frozenset(
    "environment environment.owner run mail ca.pem ca.key portal.pem portal.key portal.log "
    "portal.pid world.json world.new postgresql password nginx.conf nginx.pid nginx.log access.log "
    "body proxy fastcgi uwsgi scgi".split()
)
"""What the shape puts into its folder; whatever else lies there is not its own to take away."""


class CannotStand(Exception):
    """What keeps the shape from standing here, in words for whoever started it."""


@dataclass(frozen=True)
class Place:
    """A folder that holds all of it, and the port of its address; others follow that one."""

    folder: Path
    port: int

    @property
    def authority(self) -> str:
        """Host and port as they stand in addresses."""
        return HOST if self.port == 443 else f"{HOST}:{self.port}"

    @property
    def address(self) -> str:
        return f"https://{self.authority}"

    @property
    def plain_port(self) -> int:
        """Where plain HTTP is answered, with the way to TLS."""
        return self.port + 1

    @property
    def database_port(self) -> int:
        return self.port + 2

    @property
    def socket(self) -> Path:
        """Where the portal hears the proxy, in a folder that is closed to everybody else."""
        return self.folder / "run" / "portal.sock"

    @property
    def ca(self) -> Path:
        """The certificate of whoever vouches for the shape's own."""
        return self.folder / "ca.pem"

    @property
    def people(self) -> Path:
        """The made-up world: people, passwords, businesses."""
        return self.folder / "world.json"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    def site(self) -> dict[str, str]:
        """What the site reads from its environment."""
        return _read(self.folder / "environment")

    def owner(self) -> dict[str, str]:
        """The same for commands that run as the owner of the tables."""
        return self.site() | _read(self.folder / "environment.owner")

    def settle(self) -> None:
        """Make the folder and its secrets, once."""
        if len(bytes(self.socket)) > LONGEST_SOCKET:
            raise CannotStand(f"{self.folder} is too long a path for a socket: use --folder.")
        # As root, PostgreSQL runs as somebody else, who must get through to its own folder.
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        hold_to_owner(self.folder)  # somebody may have made it in the meantime
        self.folder.chmod(0o711 if os.getuid() == 0 else 0o700)
        for closed in (self.mail, self.socket.parent):
            closed.mkdir(exist_ok=True, mode=0o700)
        if (self.folder / "environment").exists():
            return
        superuser, owner, site = (secrets.token_urlsafe(24) for _ in range(3))
        database = f"{HOST}:{self.database_port}/portal"
        _write(
            self.folder / "environment.owner",
            {
                "DATABASE_URL": f"postgres://portal_owner:{owner}@{database}",
                "PGPASSWORD": superuser,
                "OWNER_PASSWORD": owner,
                "SITE_PASSWORD": site,
            },
        )
        _write(
            self.folder / "environment",
            {
                "PORTAL_PROFILE": "loopback",
                "SECRET_KEY": secrets.token_urlsafe(64),
                "PORTAL_URL": self.address,
                "ALLOWED_HOSTS": HOST,
                "TRUSTED_PROXIES": "1",
                "DATABASE_URL": f"postgres://portal:{site}@{database}",
                "MAIL_FOLDER": str(self.mail),
            },
        )


def hold_to_owner(folder: Path) -> None:
    """Refuse a folder, or secrets in it, that another account made: what it holds is believed."""
    try:
        for one in (folder, *folder.glob("environment*")):
            if one.exists() and one.stat().st_uid != os.getuid():
                raise CannotStand(f"{one} belongs to another account of this machine.")
        if folder.exists() and not folder.is_dir():
            raise CannotStand(f"{folder} is no folder.")
    except PermissionError as why:
        raise CannotStand(f"{folder} is closed to this account.") from why


def hold_to_ours(folder: Path) -> None:
    """Refuse a folder that holds what no portal put there: it would be closed, and taken away."""
    there = {one.name for one in folder.iterdir()} if folder.exists() else set()
    if there and "environment" not in there:
        raise CannotStand(f"{folder} is not empty, and holds no portal.")
    if foreign := sorted(there - OURS):
        raise CannotStand(f"{folder} holds what is not the portal's: {', '.join(foreign[:5])}.")


def port_of(folder: Path) -> int | None:
    """The port that a shape in this folder was given, if there is one."""
    address = _read(folder / "environment").get("PORTAL_URL")
    if address is None:
        return None
    found = re.fullmatch(rf"https://{HOST}(?::(\d{{1,5}}))?", address)
    if found is None:
        raise CannotStand(f"{folder} holds no portal of this machine, but {address}.")
    return int(found[1] or 443)


def _write(path: Path, variables: dict[str, str]) -> None:
    """Variables as a shell reads them; for nobody else's eyes. Values need no quotes."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text().splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
