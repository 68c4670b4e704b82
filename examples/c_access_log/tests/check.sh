#!/bin/sh
# Small logs whose reports are known, one per line of the format that is easy to get wrong.
set -e
cd "$(dirname "$0")"
for log in *.log; do
    ../access_log <"$log" | cmp - "${log%.log}.expected"
done
printf '' | ../access_log | grep -qx 'clients 0, lines that are none: 0'
echo "all reports are right"
