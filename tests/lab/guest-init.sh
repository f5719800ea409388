#!/bin/sh
# The first process of a guest, started with its name. The root is a read-only directory of the host; what must change lives
# in memory. Then it serves orders: each line on the console is a number N; script N in the job directory is run.
# End of file on the console (the test is gone) turns the guest off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
modprobe overlay
for dir in /etc /var/lib /var/log; do
    mkdir -p "/run/upper$dir" "/run/work$dir"
    mount -t overlay overlay -o "lowerdir=$dir,upperdir=/run/upper$dir,workdir=/run/work$dir" "$dir"
done
hostname "$1"
echo "127.0.0.1 localhost $1" >/etc/hosts
ip link set lo up
cd /tmp || exit 1
echo "GUEST READY"
while read -r number; do
    setsid sh "/job/$number.sh" </dev/null >"/job/$number.out" 2>&1
    echo "GUEST DONE $number $?"
done
sync
busybox poweroff -f
