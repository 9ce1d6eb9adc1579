#!/bin/sh
# What ingest, engine and api sign in as, made with the database. `roadmeter migrate --grant roadmeter_app` says what it may.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role roadmeter_app login password :'password';
SQL
