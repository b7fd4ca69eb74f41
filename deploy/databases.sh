#!/bin/bash
# Make the two databases of compose.yaml with their owners, whose passwords are in the two addresses; runs once, on an
# empty volume. They stay apart: both programs keep a table alembic_version.
set -eu
for name in milkrun prefect; do
    case $name in
        milkrun) address=$(cat /run/secrets/database_url) ;;
        prefect) address=$(cat /run/secrets/prefect_database_url) ;;
    esac
    password=${address#*"://$name:"}
    password=${password%%@*}
    # In an address special characters are percent-encoded; the role gets the password itself.
    printf -v password '%b' "$(sed 's/\\/\\\\/g; s/%\([[:xdigit:]]\{2\}\)/\\x\1/g' <<< "$password")"
    psql --username postgres --set ON_ERROR_STOP=1 --set owner="$name" --set password="$password" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'password';
CREATE DATABASE :"owner" OWNER :"owner";
SQL
done
# The server's tables need this extension, which its owner may not make by itself.
psql --username postgres --dbname prefect --set ON_ERROR_STOP=1 --command "CREATE EXTENSION IF NOT EXISTS pg_trgm"
