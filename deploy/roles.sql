-- The database and its two roles, made by a superuser where they are missing: migrations run as the owner, and the site
-- signs in as a role that owns nothing (docs/decisions/0022-the-site-owns-no-table.md).
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv site_password SITE_PASSWORD
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', role, password)
  FROM (VALUES ('portal_owner', :'owner_password'), ('portal', :'site_password')) AS wanted (role, password)
  WHERE role NOT IN (SELECT rolname FROM pg_roles) \gexec
SELECT 'CREATE DATABASE portal OWNER portal_owner'
  WHERE 'portal' NOT IN (SELECT datname FROM pg_database) \gexec
REVOKE ALL ON DATABASE portal FROM PUBLIC;
GRANT CONNECT ON DATABASE portal TO portal;
