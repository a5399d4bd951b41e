#!/bin/sh
# Process 1 of a container, in front of a program that was not made for it: pid-one.sh PROGRAM [ARGUMENTS].
#
# The kernel gives process 1 all orphans, to be reaped, and no signal for which it has no handler. So the
# program runs as a child, every signal is passed on to it, `wait` reaps whoever ends, and the end is the
# program's own: its exit code, or 128 + the number of the signal that killed it.

signals='HUP INT QUIT TERM USR1 USR2'
pending=
program=
pass() {
  if [ -n "$program" ]; then kill -s "$1" "$program" 2>/dev/null; else pending="$pending $1"; fi
}
for signal in $signals; do
  # shellcheck disable=SC2064 # The signal's name is wanted as it is now.
  trap "pass $signal" "$signal"
done

# A background job of a script reads from /dev/null, unless told otherwise.
exec 3<&0
"$@" <&3 3<&- &
program=$!
exec 3<&-
for signal in $pending; do pass "$signal"; done

# A signal interrupts `wait`, which then tells of the signal and not of the program.
while wait "$program"; code=$?; kill -0 "$program" 2>/dev/null; do :; done
# The program may have ended in the moment of a signal: then its code was not told yet, and nobody is left to hear
# more. (bash can forget it then, and tells of the signal.)
# shellcheck disable=SC2086 # Each a word of its own.
trap '' $signals
wait "$program" 2>/dev/null
last=$?
[ "$last" -eq 127 ] || code=$last
exit "$code"
