#!/bin/sh
# desktop.sh: the desktop of one testbed user. Its colour and title lie in files
# beside it. openbox starts the terminal once it manages windows: an xterm that
# opens while openbox takes over waits for ever.
dir=$(dirname "$0")
export LANG=C.UTF-8
xsetroot -solid "$(cat "$dir/$USER.colour")" -cursor_name left_ptr
exec openbox --startup "$dir/terminal.sh"
