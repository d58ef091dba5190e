#!/bin/sh
# boot.sh ROOT CAPABILITIES: becomes the first process of the Debian in ROOT. Started by machine.py inside new
# namespaces, whose mounts this machine does not see. What could reach out of them is taken away:
# devices are made anew, /proc/sys and /sys are read only, and some capabilities are dropped.
set -eu
root=$1

mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"

mount -t proc -o nosuid,nodev,noexec proc proc
for part in proc/sys proc/sysrq-trigger; do
    [ -e "$part" ] || continue
    mount --bind "$part" "$part"
    mount -o remount,bind,ro "$part"
done
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp

mount -t tmpfs -o mode=755,nosuid tmpfs dev
umask 000
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
umask 022
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

pivot_root . mnt
umount -l /mnt
cd /
ip link set lo up 2>/dev/null || :
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set "$2" \
    /lib/systemd/systemd --system --log-target=journal --unit=multi-user.target \
    </dev/null >/dev/null 2>&1
