-- The database and its two roles, made once by a superuser: migrations run as the owner, and the site
-- signs in as a role that owns nothing (docs/decisions/0022-the-site-owns-no-table.md).
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv site_password SITE_PASSWORD
CREATE ROLE portal_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE portal LOGIN PASSWORD :'site_password';
CREATE DATABASE portal OWNER portal_owner;
REVOKE ALL ON DATABASE portal FROM PUBLIC;
GRANT CONNECT ON DATABASE portal TO portal;
