-- The audit log is append-only for the role that web and workers log in as, too. Run as the owner of the tables (the
-- role that migrates), after each migration:
--
--     psql "$OWNER_URL" -v app=securemsg_app -f deploy/audit_grants.sql
--
-- Web and workers then use DATABASE_URL=postgres://securemsg_app@…; `manage.py migrate` uses the owner's.

GRANT USAGE ON SCHEMA public TO :"app";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"app";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"app";
REVOKE UPDATE, DELETE, TRUNCATE ON portal_auditevent, portal_auditlink FROM :"app";
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM :"app";
