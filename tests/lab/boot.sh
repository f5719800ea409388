#!/bin/sh
# A computer that systemd starts, made of namespaces. Its disk is the host's, with what is installed for the test on top; what
# is written goes to memory and is there again at the next boot.
#
#   boot.sh disk TREE           makes the memory of the disk at /mnt, in a mount namespace of its own, with a copy of TREE in it
#   boot.sh on CGROUP SHOWN...  switches it on, in that mount namespace; it sees these directories of the host, too. CGROUP is
#                               where its processes are counted
#   boot.sh off CGROUP          removes the group, when all of them have ended
set -e

# in_groups COMMAND...: with the host's control groups at /mnt.
in_groups() { exec unshare --mount sh -ec 'mount -t cgroup2 none /mnt; cd /mnt; "$@"' sh "$@"; }

# What the kernel keeps for all computers is not this one's to change; its network is.
files_of_the_kernel() {
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount --bind proc/sys/net proc/sys/net
    mount -o remount,bind,ro proc/sys
    mount -t sysfs sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
}

devices() {
    mount -t tmpfs -o mode=755 none dev
    mkdir dev/net dev/pts dev/shm
    for device in null zero full random urandom tty net/tun; do
        : >"dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
}

# Of the host's own services none is wanted, nor what sets up a machine's hardware; and nothing of ours is there yet.
as_new() {
    rm -rf etc/systemd/system etc/rc?.d etc/sekisho var/lib/sekisho
    : >etc/fstab
    mkdir -p etc/systemd/system etc/tmpfiles.d
    ln -sf /dev/null etc/tmpfiles.d/tmp.conf # what is shown may lie in /tmp, which a start empties
    for unit in getty.target console-getty.service dbus.service dbus.socket systemd-logind.service systemd-udevd.service \
        systemd-timesyncd.service systemd-networkd.service systemd-sysctl.service systemd-modules-load.service \
        systemd-remount-fs.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-fs-fuse-connections.mount; do
        ln -s /dev/null "etc/systemd/system/$unit"
    done
}

case $1 in
disk)
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 none /mnt
    cd /mnt
    mkdir upper work root
    mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work none root
    (cd root && as_new && cp -a "$2/." .)
    echo ready
    exec sleep infinity
    ;;
on)
    # shellcheck disable=SC2016
    (in_groups sh -c 'mkdir -p "$1"; echo "$2" >"$1/cgroup.procs"' sh "$2" $$)
    shift 2
    exec unshare --mount --cgroup --pid --ipc --uts --fork --kill-child sh "$0" become "$@"
    ;;
become)
    cd /mnt/root
    shift
    files_of_the_kernel
    mount -t tmpfs -o mode=755 none run
    mount -t tmpfs -o mode=1777 none tmp
    for shown in "$@"; do
        mkdir -p ".$shown"
        mount --bind "$shown" ".$shown"
    done
    devices
    hostname booted
    pivot_root . mnt
    exec chroot . sh -c 'umount -l /mnt; exec env -i container=sekisho PATH="$PATH" /lib/systemd/systemd --unit=multi-user.target \
        --log-target=journal --show-status=no'
    ;;
off)
    in_groups find "$2" -depth -type d -exec rmdir '{}' ';'
    ;;
esac
