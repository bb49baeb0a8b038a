#!/bin/sh
# desktop.sh: the desktop of one testbed user. Its colour and title lie in files
# beside it. It ends with its terminal, so leaving the shell is logging out.
dir=$(dirname "$0")
export LANG=C.UTF-8
xsetroot -solid "$(cat "$dir/$USER.colour")" -cursor_name left_ptr
openbox &
exec xterm -fa 'DejaVu Sans Mono' -fs 13 -geometry 84x22+48+48 -bg '#fdf6e3' -fg '#22303a' \
  -T "$(cat "$dir/$USER.title")" -e "$dir/shell.sh"
