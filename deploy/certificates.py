"""A certificate for this machine, and an authority that vouches for it and for nothing else."""

from deploy.place import HOST, CannotStand, Place
from deploy.processes import program, run

DAYS = "397"
"""For how long browsers take a certificate."""


def make(place: Place) -> None:
    """Make both where they are missing or about to end. The authority's key is thrown away."""
    openssl = program("openssl", "openssl")
    certificate, key = place.folder / "portal.pem", place.folder / "portal.key"
    if key.exists() and not _ends_soon(place):
        return
    authority = place.folder / "ca.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    run([openssl, "req", "-x509", *curve, "-keyout", authority, "-out", place.ca, "-days", DAYS,
         "-subj", "/CN=The portal on this machine",
         "-addext", "keyUsage=critical,keyCertSign",
         "-addext", f"nameConstraints=critical,permitted;DNS:{HOST}"])  # fmt: skip
    try:
        run([openssl, "req", "-x509", *curve, "-keyout", key, "-out", certificate, "-days", DAYS,
             "-CA", place.ca, "-CAkey", authority, "-subj", f"/CN={HOST}",
             "-addext", f"subjectAltName=DNS:{HOST}",
             "-addext", "basicConstraints=critical,CA:false",
             "-addext", "keyUsage=critical,digitalSignature",
             "-addext", "extendedKeyUsage=serverAuth"])  # fmt: skip
    finally:
        authority.unlink(missing_ok=True)


def _ends_soon(place: Place) -> bool:
    try:
        run(["openssl", "x509", "-checkend", "86400", "-noout", "-in", place.folder / "portal.pem"])
    except CannotStand:
        return True
    return False
