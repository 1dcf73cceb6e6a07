#!/bin/sh
# Install quantdesk for this user, from the unpacked archive that this file lies in. No root is needed.
#
#   ./install.sh                 into ~/.local
#   ./install.sh --prefix DIR    into DIR/lib, DIR/bin and DIR/share
#
# Run it again, from a newer archive too, to replace what is installed: the new version is put beside the old one
# and tried; one rename then makes it the one that starts. An error before that leaves the old one as it was.
set -eu

die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

usage='usage: install.sh [--prefix DIR]'
prefix=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }; prefix=$2; shift 2 ;;
        --prefix=*) prefix=${1#--prefix=}; shift ;;
        -h | --help)
            echo "$usage"
            echo 'Put quantdesk into DIR/lib/quantdesk, its command into DIR/bin, its menu entry, icons and manual page'
            echo 'into DIR/share. Without --prefix: ~/.local, menu entry and so on in ${XDG_DATA_HOME:-~/.local/share}.'
            exit 0 ;;
        *) echo "$usage" >&2; exit 2 ;;
    esac
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
[ -x "$here/quantdesk" ] && [ -d "$here/share" ] || die "run this from the unpacked archive: $here holds no quantdesk"
if [ -n "$prefix" ]; then
    case $prefix in /*) ;; *) prefix=$(pwd -P)/$prefix ;; esac
    share=$prefix/share
else
    [ -n "${HOME:-}" ] || die 'HOME is not set: say where with --prefix DIR'
    prefix=$HOME/.local
    case ${XDG_DATA_HOME:-} in /*) share=$XDG_DATA_HOME ;; *) share=$HOME/.local/share ;; esac
fi
case $prefix$share in *'
'*) die 'a folder with a line break in its name cannot be installed into' ;; esac

home=$prefix/lib/quantdesk
link=$prefix/bin/quantdesk
manifest=$home/installed-files
# What is there and was not put there by us stays, whatever it is.
ours() { [ -f "$manifest" ] && grep -Fqx -- "$1" "$manifest"; }
check_free() {
    { [ -e "$1" ] || [ -L "$1" ]; } || return 0
    ours "$1" || die "$1 is there already and was not installed by this: remove it first, or use --prefix DIR"
}
check_free "$link"
shared=$(cd "$here/share" && find . -type f | sed 's|^\./||' | sort)
old_ifs=$IFS
IFS='
'
for file in $shared; do check_free "$share/$file"; done
IFS=$old_ifs

# The manifest names files, and folders that we made (with a slash at the end), in the order of their making.
made=
make_folder() {
    [ -d "$1" ] && return 0
    make_folder "$(dirname -- "$1")"
    mkdir -- "$1" || die "$1 cannot be made"
    made="$made$1/
"
}
make_folder "$home"
[ -w "$home" ] || die "$home cannot be written to"

new=$home/.new.$$
trap 'rm -rf -- "$new" "$manifest.$$"; rm -f -- "$link.$$"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
for stale in "$home"/.new.*; do
    [ -d "$stale" ] && ! kill -0 "${stale##*.}" 2>/dev/null && rm -rf -- "$stale"
done
mkdir -- "$new"
echo "copying to $home"
cp -RPp -- "$here/." "$new/" || die 'the copy failed (is the disk full?): nothing was changed'
rm -rf -- "$new/share" "$new/install.sh" "$new/uninstall.sh"  # they go to their own places below, or nowhere
told=$("$new/quantdesk" --version </dev/null 2>&1) ||
    die "the program does not start here, nothing was changed. It says: $told"
version=$(printf '%s\n' "$told" | sed -n 's/^quantdesk \([0-9][0-9A-Za-z.+-]*\)$/\1/p')
[ -n "$version" ] || die "the program does not tell its version, nothing was changed. It says: $told"

number=1
place=$home/$version
while [ -e "$place" ]; do
    number=$((number + 1))
    place=$home/$version-$number
done

# First the list of all that will be there, then the things: an interrupted run can be undone or repeated.
before=
[ -f "$manifest" ] && before=$(cat -- "$manifest")
make_folder "$prefix/bin"
for folder in $(cd "$here/share" && find . -type d | sed 's|^\./||; /^\.$/d' | sort); do make_folder "$share/$folder"; done
list() {
    [ -z "$before" ] || printf '%s\n' "$before"
    printf '%s' "$made"
    printf '%s\n' "$link" "$home/uninstall.sh" "$manifest"
    printf '%s\n' "$shared" | sed "s|^|$(printf '%s' "$share/" | sed 's/[&|\\]/\\&/g')|"
    (cd "$new" && find . -type d | sort && find . ! -type d | sort) | while IFS= read -r file; do
        file=${file#.}
        if [ -d "$new$file" ] && [ ! -L "$new$file" ]; then file=$file/; fi
        printf '%s\n' "$place$file"
    done
}
list | awk '!seen[$0]++' >"$manifest.$$"
mv -f -- "$manifest.$$" "$manifest"

mv -- "$new" "$place"
put() {  # put FILE MODE: standard input becomes FILE, whole or not at all
    cat >"$1.$$" && chmod "$2" "$1.$$" && mv -f -- "$1.$$" "$1" || {
        rm -f -- "$1.$$"
        die "$1 cannot be written: what starts is still the version before"
    }
}
# In the menu entry's Exec line a path is quoted: these characters are escaped within the quotes, once more in the file.
quoted=$(printf '%s' "$link" | sed 's/[\\"`$]/\\&/g; s/\\/\\\\/g; s/%/%%/g')
escaped=$(printf '%s' "$link" | sed 's/\\/\\\\/g')
printf '%s\n' "$shared" | while IFS= read -r file; do
    case $file in
        *.desktop)
            while IFS= read -r line; do
                case $line in
                    Exec=quantdesk*)
                        printf 'Exec="%s"%s\n' "$quoted" "${line#Exec=quantdesk}" ;;
                    Type=*) printf '%s\nTryExec=%s\n' "$line" "$escaped" ;;
                    *) printf '%s\n' "$line" ;;
                esac
            done <"$here/share/$file" | put "$share/$file" 644 ;;
        *) put "$share/$file" 644 <"$here/share/$file" ;;
    esac
done
put "$home/uninstall.sh" 755 <"$here/uninstall.sh"
# Here the new version takes over: one rename.
ln -s -- "$place/quantdesk" "$link.$$"
mv -f -- "$link.$$" "$link"

# Older versions go, except what a running program still reads.
for old in "$home"/[0-9]*; do
    [ "$old" != "$place" ] && [ -d "$old" ] || continue
    if running=$(sh "$home/uninstall.sh" --who "$old") && [ -n "$running" ]; then
        echo "an older version is still running (process $running): its files go with the next install"
    else
        sh "$home/uninstall.sh" --only "$old"
    fi
done

if command -v update-desktop-database >/dev/null 2>&1; then
    cache=$share/applications/mimeinfo.cache
    [ -e "$cache" ] || printf '%s\n' "$cache" >>"$manifest"
    update-desktop-database -q "$share/applications" 2>/dev/null || :
fi
# An icon cache is brought up to date where there is one; the changed folder tells the rest.
touch -c -- "$share/icons/hicolor"
if [ -f "$share/icons/hicolor/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null 2>&1; then
    gtk-update-icon-cache -q -t -f "$share/icons/hicolor" 2>/dev/null || :
fi

echo "quantdesk $version is installed: start it from the menu, or as $link"
case :${PATH:-}: in
    *":$prefix/bin:"*) ;;
    *) echo "note: $prefix/bin is not in PATH, so a terminal finds it by its full name only" ;;
esac
echo "to remove it: \"$home/uninstall.sh\""
