#!/usr/bin/env bash
# PostgreSQL with PostGIS, Redis and Mosquitto for tests and development: on free ports of this machine's loopback, with
# their files in DIR and passwords of their own.
#   infra/services.sh start DIR    prints `export NAME=value` lines for eval; DIR must be new or empty
#   infra/services.sh stop DIR     stops them; DIR is left to you
# New device passwords while it runs: mosquitto_passwd -b "$MOSQUITTO_PASSWORD_FILE" DEVICE TOKEN; kill -HUP "$MOSQUITTO_PID"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fail() {
  echo "services.sh: $1" >&2
  exit "${2:-1}"
}
usage='use: infra/services.sh start DIR | infra/services.sh stop DIR'
[ $# = 2 ] || fail "$usage" 2
act=$1
# Debian keeps servers and runuser where an ordinary user's PATH may not look.
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$2" || fail "cannot make the folder $2" 2
dir=$(cd "$2" && pwd)

# PostgreSQL refuses to run as root; Debian's package brings a user for it.
if [ "$(id -u)" = 0 ]; then as_postgres() { (cd / && runuser -u postgres -- "$@"); }; else as_postgres() { "$@"; }; fi

# The newest PostgreSQL that PostGIS is installed for: Debian's folders first, then whatever pg_config on the PATH says.
postgres_bin() {
  local version
  for version in $(ls /usr/lib/postgresql 2>/dev/null | sort -rn); do
    [ -e "/usr/share/postgresql/$version/extension/postgis.control" ] || continue
    [ -x "/usr/lib/postgresql/$version/bin/initdb" ] && echo "/usr/lib/postgresql/$version/bin" && return
  done
  if command -v pg_config >/dev/null && [ -e "$(pg_config --sharedir)/extension/postgis.control" ]; then
    [ -x "$(pg_config --bindir)/initdb" ] && pg_config --bindir
  fi
  return 0
}

# runs COMMAND every 0.1 s until it succeeds, 30 s at most
await() {
  local name=$1 tries
  shift
  for tries in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  tail -n 20 "$dir/$name.log" >&2 || true
  fail "$name does not answer; its log is $dir/$name.log"
}

# stops the process of a pid file, if it still is that program; one that ended and waits to be reaped is none
stop_by_pid() {
  local file=$1 program=$2 pid tries
  [ -s "$file" ] || return 0
  pid=$(cat "$file")
  # A slim Debian has no ps; a system without /proc (macOS) has.
  runs() {
    local name state
    if [ -d /proc/self ]; then
      read -r name 2>/dev/null <"/proc/$pid/comm" && [ "$name" = "$program" ] || return 1
      state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
    else
      [ "$(ps -p "$pid" -o comm= 2>/dev/null)" = "$program" ]
    fi
  }
  for tries in $(seq 200); do
    runs || return 0
    if [ "$tries" = 1 ]; then kill "$pid"; fi
    sleep 0.1
  done
  kill -9 "$pid"
}

stop() {
  stop_by_pid "$dir/mosquitto.pid" mosquitto
  stop_by_pid "$dir/redis.pid" redis-server
  if [ -e "$dir/postgres/postmaster.pid" ]; then
    as_postgres "$(cat "$dir/postgres.bin")/pg_ctl" -D "$dir/postgres" -m fast -w -t 60 stop >/dev/null
  fi
}

start() {
  local missing=() bin pg_port redis_port mqtt_port devices_port pg_password redis_password mqtt_password
  bin=$(postgres_bin)
  [ -n "$bin" ] || missing+=(postgresql-15-postgis-3)
  command -v redis-server >/dev/null || missing+=(redis-server)
  command -v mosquitto >/dev/null && command -v mosquitto_passwd >/dev/null || missing+=(mosquitto)
  command -v mosquitto_sub >/dev/null || missing+=(mosquitto-clients)
  [ ${#missing[@]} = 0 ] || fail "not installed here: ${missing[*]} (Debian's names: apt-get install ${missing[*]})" 2
  [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty: give a new folder" 2

  trap 'stop || true' ERR EXIT
  chmod 711 "$dir"
  echo "$bin" >"$dir/postgres.bin"
  read -r pg_port redis_port mqtt_port devices_port pg_password redis_password mqtt_password < <(node -e '
    const net = require("net")
    const listen = () => new Promise((done) => { const s = net.createServer().listen(0, "127.0.0.1", () => done(s)) })
    Promise.all([listen(), listen(), listen(), listen()]).then((servers) => {
      const secrets = servers.slice(1).map(() => require("crypto").randomBytes(18).toString("hex"))
      console.log(...servers.map((s) => s.address().port), ...secrets)
      servers.forEach((s) => s.close())
    })')

  mkdir "$dir/postgres"
  (umask 077 && echo "$pg_password" >"$dir/postgres.password")
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir/postgres" "$dir/postgres.password"
    as_postgres test -x "$dir/postgres" || fail "the user postgres cannot reach $dir: give a folder under /tmp" 2
  fi
  as_postgres "$bin/initdb" -D "$dir/postgres" -U roadmeter --pwfile="$dir/postgres.password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --lc-collate=C --no-sync >"$dir/postgres.log" 2>&1 || fail "initdb: $(tail -n 1 "$dir/postgres.log")"
  cat >>"$dir/postgres/postgresql.conf" <<CONF
port = $pg_port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 512MB
max_wal_size = 4GB
logging_collector = off
CONF
  : >"$dir/postgres/server.log"
  if [ "$(id -u)" = 0 ]; then chown postgres "$dir/postgres/server.log"; fi
  as_postgres "$bin/pg_ctl" -D "$dir/postgres" -l "$dir/postgres/server.log" -w -t 60 start >/dev/null ||
    fail "PostgreSQL: $(tail -n 3 "$dir/postgres/server.log")"
  PGPASSWORD=$pg_password "$bin/createdb" -h 127.0.0.1 -p "$pg_port" -U roadmeter roadmeter

  (
    umask 077
    cat >"$dir/redis.conf" <<CONF
bind 127.0.0.1
port $redis_port
requirepass $redis_password
dir $dir
save ""
maxmemory-policy noeviction
daemonize yes
pidfile $dir/redis.pid
logfile $dir/redis.log
CONF
    : >"$dir/passwords"
  )
  redis-server "$dir/redis.conf" >/dev/null
  await redis env REDISCLI_AUTH="$redis_password" redis-cli -h 127.0.0.1 -p "$redis_port" --no-auth-warning ping

  cp "$here/mosquitto/acl" "$dir/acl"
  mosquitto_passwd -b "$dir/passwords" ingest "$mqtt_password"
  # As the user who starts it: mosquitto would otherwise give up root and no longer read what mosquitto_passwd rewrites.
  sed -e "s|^listener 1883|listener $devices_port 127.0.0.1|" -e "s|^listener 1884|listener $mqtt_port 127.0.0.1|" \
    -e "s|^password_file .*|password_file $dir/passwords|" \
    -e "s|^acl_file .*|acl_file $dir/acl|" -e "s|^persistence_location .*|persistence_location $dir/|" \
    -e "s|^log_dest .*|log_dest file $dir/mosquitto.log|" "$here/mosquitto/mosquitto.conf" >"$dir/mosquitto.conf"
  printf 'user %s\npid_file %s\n' "$(id -un)" "$dir/mosquitto.pid" >>"$dir/mosquitto.conf"
  mosquitto -d -c "$dir/mosquitto.conf" >>"$dir/mosquitto.log" 2>&1 ||
    fail "Mosquitto: $(tail -n 3 "$dir/mosquitto.log")"
  await mosquitto mosquitto_pub -h 127.0.0.1 -p "$mqtt_port" -u ingest -P "$mqtt_password" -t roadmeter/v1/none/context -n -q 1

  trap - ERR EXIT
  cat <<EXPORTS
export DATABASE_URL=postgres://roadmeter:$pg_password@127.0.0.1:$pg_port/roadmeter
export REDIS_URL=redis://default:$redis_password@127.0.0.1:$redis_port/0
export MQTT_URL=mqtt://127.0.0.1:$mqtt_port
export MQTT_DEVICES_URL=mqtt://127.0.0.1:$devices_port
export MQTT_USERNAME=ingest
export MQTT_PASSWORD=$mqtt_password
export MOSQUITTO_PASSWORD_FILE=$dir/passwords
export MOSQUITTO_PID=$(cat "$dir/mosquitto.pid")
EXPORTS
}

case $act in
  start | stop) "$act" ;;
  *) fail "$usage" 2 ;;
esac
