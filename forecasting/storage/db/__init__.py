"""The database itself: connections, the embedded server, tables, migrations, COPY and backups."""
