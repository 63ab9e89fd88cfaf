# shellcheck shell=sh source=/dev/null
# The user environment of the whole cluster: one file on the server.
if [ -r /beowulf/env/profile ]; then . /beowulf/env/profile; fi
PATH=$PATH:/beowulf/bin
