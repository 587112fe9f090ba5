"""The shape in which the portal is shipped: a proxy, processes of the portal, PostgreSQL."""
