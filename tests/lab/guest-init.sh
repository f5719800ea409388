#!/bin/sh
# The first process of a guest. The root is a read-only directory of the host; what must change lives in memory.
# Then it serves orders: each line on the console is a number N; script N in the job directory is run.
# End of file on the console (the test is gone) turns the guest off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
for dir in /etc /var/lib /var/log; do
    mkdir -p "/run/copy$dir"
    cp -a "$dir/." "/run/copy$dir/"
    mount --bind "/run/copy$dir" "$dir"
done
for word in $(cat /proc/cmdline); do
    case $word in
    job=*) job=${word#job=} ;;
    name=*) hostname "${word#name=}"; echo "127.0.0.1 localhost ${word#name=}" >/etc/hosts ;;
    esac
done
mount -t hostfs none /job -o "$job"
ip link set lo up
cd /tmp || exit 1
echo "GUEST READY"
while read -r number; do
    setsid sh "/job/$number.sh" </dev/null >"/job/$number.out" 2>&1
    echo "GUEST DONE $number $?"
done
sync
busybox poweroff -f
