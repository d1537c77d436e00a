#!/bin/busybox sh
# The first program of the selftest guest: every test in turn, its exit status, and the end of what it printed.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
cd /tests
for test in *; do
  timeout 900 "./$test" > /tmp/output 2>&1
  status=$?
  grep -i fail /tmp/output | head -n 8 | sed 's/^/  | /'
  tail -n 4 /tmp/output | sed 's/^/  | /'
  echo "<$test ended with $status>"
done
poweroff -f
