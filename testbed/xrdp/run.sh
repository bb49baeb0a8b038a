#!/bin/sh
# run.sh DIR PORT: one xrdp with its sesman, run as root by StartXrdp.
#
# DIR holds xrdp.ini, sesman.ini, desktop.sh, certificate. Standard input is
# first NAME:PASSWORD a line, one for each unix user to make, then an empty
# line, then words: "kill N" kills xrdp as a crash would, "start N" starts it
# again, "logoff N NAME" ends that user's desktop; each is answered by "done N".
# At the end of standard input, however the program at the other end ended,
# everything is taken down: desktops first, then the daemons, then the users.
set -eu
PATH=$PATH:/usr/sbin:/sbin
dir=$1
port=$2
sesman_port=3350 # xrdp 0.9 finds its sesman nowhere else
comment='Stagedoor testbed' # by which left-over users are known
sesman='' xrdp=''

# say TEXT...: to whoever started this. The log, if nobody reads any more.
say() { echo "$*" 2>/dev/null || echo "$*" >>"$dir/run.log"; }

# gone LIMIT COMMAND...: waits, LIMIT tenths of a second at most, until COMMAND prints nothing.
gone() {
  limit=$1; shift
  while [ -n "$("$@")" ]; do
    limit=$((limit - 1))
    [ $limit -gt 0 ] || return 1
    sleep 0.1
  done
}

# alive PID: prints PID while it lives and is no zombie.
alive() {
  case $(ps -o stat= -p "$1") in ''|Z*) ;; *) echo "$1" ;; esac
}

users() { getent passwd | awk -F: -v c="$comment" '$5 == c { print $1 }'; }

# end PID: TERM, 5 s, KILL.
end() {
  kill -TERM "$1" 2>/dev/null || return 0
  gone 50 alive "$1" || kill -KILL "$1"
}

# end_window_managers: each desktop's sesman has a window manager, Xorg and
# xrdp-chansrv for children. Prints what is left, as gone wants it.
end_window_managers() {
  for session in $(pgrep -P "$sesman"); do
    echo "$session"
    for pid in $(pgrep -P "$session"); do
      case $(ps -o comm= -p "$pid") in Xorg|xrdp-chansrv) ;; *) kill -TERM "$pid" ;; esac
    done
  done
}

# log_off NAME: ends NAME's window manager, and with it the desktop.
log_off() {
  for session in $(pgrep -P "$sesman"); do
    for pid in $(pgrep -P "$session" -u "$1"); do
      case $(ps -o comm= -p "$pid") in Xorg|xrdp-chansrv) ;; *) kill -TERM "$pid" ;; esac
    done
  done
}

# close_desktops ends each desktop by its window manager: sesman then ends Xorg,
# which removes its socket and lock; killed, Xorg would leave both behind. It
# asks more than once, for a desktop that is just starting does not listen yet.
close_desktops() { gone 100 end_window_managers; }

# remove_users removes the users and whatever they still run.
remove_users() {
  for user in $(users); do
    for signal in TERM KILL; do
      for pid in $(pgrep -u "$user"); do kill -$signal "$pid"; done
      gone 30 pgrep -u "$user" && break
    done
    home=$(getent passwd "$user" | cut -d: -f6)
    ! grep -q " $home/thinclient_drives " /proc/mounts || umount -l "$home/thinclient_drives"
    userdel -f -r "$user"
  done
}

# kill_xrdp kills xrdp and the process of each connection. It owns nothing that
# would stay behind: the desktops are sesman's.
kill_xrdp() {
  [ -n "$xrdp" ] || return 0
  for pid in $(pgrep -P "$xrdp") "$xrdp"; do kill -KILL "$pid" || true; done
  gone 50 alive "$xrdp"
  xrdp=''
}

take_down() {
  trap '' EXIT INT TERM HUP PIPE
  set +e
  exec >>"$dir/run.log" 2>&1 </dev/null
  [ -z "$sesman" ] || close_desktops
  kill_xrdp # its connections' processes would try on for 20 s
  [ -z "$sesman" ] || end "$sesman"
  remove_users
  rm -rf "$dir"
}

# listens PORT PID: waits until something listens on PORT; fails once PID is gone.
listens() {
  while [ -z "$(ss -Hltn "sport = :$1")" ]; do
    if [ -z "$(alive "$2")" ]; then
      say "$(tail -n 20 "$dir"/*.log)"
      return 1
    fi
    sleep 0.05
  done
}

start_xrdp() {
  setpriv --pdeathsig TERM xrdp -n -c "$dir/xrdp.ini" >>"$dir/xrdp.log" 2>&1 </dev/null 9>&- &
  xrdp=$!
  listens "$port" $xrdp
}

start_sesman() {
  mkdir -p /run/xrdp/sockdir
  chmod 3777 /run/xrdp/sockdir
  setpriv --pdeathsig TERM xrdp-sesman -n -c "$dir/sesman.ini" >>"$dir/sesman.log" 2>&1 </dev/null 9>&- &
  sesman=$!
  listens $sesman_port $sesman
}

# add_user NAME:PASSWORD
add_user() {
  name=${1%%:*}
  if getent passwd "$name" >/dev/null; then
    say "the user $name exists already and is not the testbed's to change"
    return 1
  fi
  useradd -c "$comment" -d "$dir/home/$name" -m -s /bin/bash "$name"
  printf '%s\n' "$1" | chpasswd
}

exec 9>/run/stagedoor-xrdp.lock
if ! flock -n 9; then
  say 'another xrdp of a testbed runs on this machine'
  exit 75 # StartXrdp tries again
fi
# A signal that comes with the end of the input must not break into take_down.
told_to_end=''
trap 'told_to_end=yes' INT TERM HUP
trap take_down EXIT
if [ -n "$(ss -Hltn "sport = :$port")$(ss -Hltn "sport = :$sesman_port")" ]; then
  say "port $port or $sesman_port is taken"
  exit 1
fi
remove_users # of a run that was killed
mkdir -p "$dir/home"
while IFS= read -r line && [ -n "$line" ]; do add_user "$line"; done
start_sesman
start_xrdp
say ready
while [ -z "$told_to_end" ] && read -r word number name; do
  case $word in
    kill) kill_xrdp ;;
    logoff) log_off "$name" || true ;;
    start) [ -n "$xrdp" ] || start_xrdp ;;
  esac
  say "done $number"
done
