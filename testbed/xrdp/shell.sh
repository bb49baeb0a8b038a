#!/bin/sh
# shell.sh: what the terminal on a testbed desktop shows and runs.
dir=$(dirname "$0")
printf '\n  %s\n\n  A desktop of the testbed: type a command, or "exit" to log out.\n\n' "$(cat "$dir/$USER.title")"
cd || exit
PS1='$ ' exec bash --norc
