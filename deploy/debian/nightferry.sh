#!/bin/sh
# /usr/bin/nightferry: the sysadmin's commands on a host that has the package.
#
# What writes data runs as the service's own user, so that nothing in the data belongs to root.
# Python runs here without the caller's environment: no variable of a shell changes what is loaded.
set -eu

library=/usr/lib/nightferry
settings=/etc/nightferry/nightferry.toml
python=$library/venv/bin/python

usage() {
    cat <<'END'
Nightferry takes very large files over breaking circuits and seals them to an OpenPGP key.

To begin:
  nightferry init [--dry-run]     from a new host to two onion sites; run again, it mends
  nightferry doctor               looks at everything, says what is wrong and how to mend it
  nightferry health               one word, for a monitor
  nightferry report               the day in figures, sealed to the recipients

To keep:
  nightferry backup [--to DIR]    what is sealed, the database and the settings; goes on after a break
  nightferry restore FROM         onto a new host
  nightferry onion                the addresses: show, export, import; keys for the staff

The sites:
  nightferry staff                who may use the desk: add, reset, remove, list
  nightferry recipients           whom uploads are sealed to, and until when
  nightferry expire               end what nobody moved, delete what is to be; a timer does it daily
  nightferry reply "TWO WORDS" MESSAGE   answer a source with what gpg made
  nightferry migrate              bring the database to this version's form; an upgrade does it
  nightferry serve source|desk    what the units run

For the staff, to hand on: /usr/share/nightferry/unseal and /usr/share/nightferry/fetch.
To read: /usr/share/doc/nightferry. "nightferry COMMAND --help" says more; "nightferry version" which it is.
END
}

say() { printf 'nightferry: %s\n' "$*" >&2; }

as_service() { # What the service's user writes belongs to the data's group, which both sites are in.
    umask 007
    [ "$(id -u)" = 0 ] || return 0
    home=/var/lib/nightferry
    as="setpriv --reuid=nightferry --regid=nightferry --init-groups --inh-caps=-all --no-new-privs --"
}

names_settings() { # names_settings COMMAND WORDS ...: they are named, or this needs none
    case "$1 ${2:-}" in
    "staff code") return 0 ;;
    esac
    for word; do
        case $word in
        --config | --config=* | --help | -h) return 0 ;;
        esac
    done
    return 1
}

run() { # run MODULE ...: with what our own code needs of the environment, and nothing else
    # shellcheck disable=SC2086 # $as is words
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" PYTHONPATH="$library/app" \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" NIGHTFERRY_COMMAND=nightferry \
        $as "$python" -P -s -B -m "$@"
}

command=${1:-help}
[ $# = 0 ] || shift
home=/root
as=

if [ ! -d "$library/venv/lib/$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')" ]; then
    say "this package has no parts for $("$python" --version): it is made for Debian 12 and 13."
    exit 1
fi

case $command in
help | --help | -h)
    usage
    ;;
version | --version)
    dpkg-query --show --showformat '${Version}\n' nightferry
    ;;
init | doctor | report | health | backup | restore | onion)
    run deploy "$command" "$@"
    ;;
staff | recipients | expire | migrate | reply | serve)
    as_service
    names_settings "$command" "$@" || set -- "$@" --config "$settings"
    run submit.cli "$command" "$@"
    ;;
upgrade-database) # The package asks for this when it is upgraded.
    as_service
    run deploy.backup.upgrading --config "$settings"
    ;;
fetch | unseal)
    say "'$command' is for the staff's machines: give them /usr/share/nightferry/$command"
    exit 2
    ;;
*)
    say "there is no command '$command'; nightferry help names them all"
    exit 2
    ;;
esac
