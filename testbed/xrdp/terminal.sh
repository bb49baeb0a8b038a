#!/bin/sh
# terminal.sh: the terminal on a testbed desktop. To leave its shell is to log out.
dir=$(dirname "$0")
xterm -fa 'DejaVu Sans Mono' -fs 13 -geometry 84x22+48+48 -bg '#fdf6e3' -fg '#22303a' \
  -T "$(cat "$dir/$USER.title")" -e "$dir/shell.sh"
openbox --exit
