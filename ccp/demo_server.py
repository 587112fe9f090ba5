"""How gunicorn serves the demonstration: with the sandbox of identity providers in its process."""

from importlib import import_module


def post_worker_init(worker: object) -> None:
    """Start the sandbox; gunicorn calls this once the portal is ready in the process it made."""
    import_module("ccp.sandbox").serve()  # models are there only now
