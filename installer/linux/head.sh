#!/bin/sh
# Installs Attune @VERSION@ for one user, without root. What follows the last line is the program,
# packed; this text unpacks it. Options: --prefix DIR (else ~/.local), --help.
set -eu

lines=@LINES@
sum=@SHA256@
prefix=${HOME:?There is no home folder.}/.local

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -gt 1 ] || fail "--prefix needs a folder."; prefix=$2; shift 2 ;;
        --help) say "Installs Attune @VERSION@ for this user. --prefix DIR: there, and not in ~/.local."; exit 0 ;;
        *) fail "Unexpected: $1. There is --prefix DIR, and --help." ;;
    esac
done
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}
program=$prefix/lib/attune

command -v xz >/dev/null || fail "The program xz is missing. Install the package xz-utils (or xz)."
[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || fail "This is for Linux on x86-64 processors."
if [ -e "$program" ] && [ ! -x "$program/uninstall" ]; then
    fail "$program is there and is no Attune. Move it, or choose another --prefix."
fi

say "Checking ..."
found=$(tail -n "+$lines" "$0" | sha256sum)
[ "${found%% *}" = "$sum" ] || fail "This file is damaged. Get it again."

mkdir -p "$prefix/lib"
new=$(mktemp -d "$prefix/lib/attune.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' HUP INT TERM # some shells forget the line above when a signal ends them
say "Unpacking to $program ..."
tail -n "+$lines" "$0" | xz -d | tar -x -C "$new" || fail "There may be no room left. About 350 MB are needed."
chmod 755 "$new"
# Before an older one makes way: a system that is too old, or a place where nothing may run.
"$new/attune" --version >/dev/null || fail "Attune does not run in $prefix/lib; the reason is above. It needs glibc 2.35 or newer, and a place that is not mounted with noexec."
trap '' HUP INT TERM # from here to the end of the swap there would be neither of the two
[ ! -e "$program" ] || "$program/uninstall" --quiet
mv "$new" "$program"
trap - EXIT HUP INT TERM
exec "$program/install-entry" "$prefix"
