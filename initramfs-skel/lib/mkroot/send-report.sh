# shellcheck shell=sh
# How a report goes out: HTTP over TCP, because the nc of Debian's busybox has no UDP.

# HTTP ends its lines with a carriage return as well.
report_end=$(printf '\r')

# send_report TEXT STATE: a failure is tried three times, as it may be all that the head node ever hears.
send_report() {
  report_tries=3
  while [ "$report_tries" -gt 0 ]; do
    report_tries=$((report_tries - 1))
    # The here-document ends with a newline that is not part of TEXT; its length is in bytes, as LC_ALL=C says.
    timeout -s KILL 5 nc "$report_address" "$report_port" <<END && return 0
POST /report HTTP/1.0$report_end
Content-Length: $((${#1} + 1))$report_end
$report_end
$1
END
    [ "$2" = failed ] || return 0
    sleep 2
  done
}
