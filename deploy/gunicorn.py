"""How gunicorn serves the portal behind its proxy. Each name is a setting of gunicorn."""

import os

bind = f"unix:{os.environ['PORTAL_SOCKET']}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or "4")
threads = 4
# What a request may have at most; the proxy has the same limits.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# A process may take this long to load where the machine has much else to do. Who is asked to stop
# finishes what was begun.
timeout = 180
graceful_timeout = 30
# Lines below `error` quote what was asked for. Nothing commands it but signals.
loglevel = "error"
control_socket_disable = True
