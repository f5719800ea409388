#!/bin/sh
# Makes a computer of its own out of this mount, PID, IPC, UTS and cgroup namespace, then becomes its systemd. What may
# change lives in memory: a fresh /etc from the host's, /usr/local, /var, and empty /run, /tmp, /home and /root.
#
#   boot-init.sh NAME CGROUP PREPARE     PREPARE is a script that is run in the new system before it boots
set -e
name=$1 cgroup=$2 prepare=$3
mount --make-rprivate /
umount -R /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 none /mnt
for place in etc usr/local var; do
    mkdir -p "/mnt/upper/$place" "/mnt/work/$place"
    mount -t overlay -o "lowerdir=/$place,upperdir=/mnt/upper/$place,workdir=/mnt/work/$place" none "/$place"
done
