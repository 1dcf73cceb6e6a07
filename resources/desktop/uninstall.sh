#!/bin/sh
# Remove what install.sh installed, by its list, and nothing else. Your data, settings and logs stay.
#
#   uninstall.sh [--prefix DIR]    DIR as given to install.sh; the installed copy knows it
set -eu

die() {
    printf 'uninstall.sh: %s\n' "$*" >&2
    exit 1
}

usage='usage: uninstall.sh [--prefix DIR]'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
prefix=
only=
who=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }; prefix=$2; shift 2 ;;
        --prefix=*) prefix=${1#--prefix=}; shift ;;
        --only) only=$2; shift 2 ;;  # install.sh: the files of one older version
        --who) who=$2; shift 2 ;;    # install.sh: the process that runs from a folder
        -h | --help) echo "$usage"; echo 'Remove quantdesk. Your data, settings and logs stay.'; exit 0 ;;
        *) echo "$usage" >&2; exit 2 ;;
    esac
done

running_from() {  # the kernel names programs by their real folders
    top=$(CDPATH='' cd -- "$1" 2>/dev/null && pwd -P) || return 0
    for process in /proc/[0-9]*; do
        program=$(readlink "$process/exe" 2>/dev/null) || continue
        case $program in "$top"/*) printf '%s' "${process#/proc/}"; return 0 ;; esac
    done
}
if [ -n "$who" ]; then
    running_from "$who"
    exit 0
fi

if [ -n "$prefix" ]; then
    case $prefix in /*) ;; *) prefix=$(pwd -P)/$prefix ;; esac
    home=$prefix/lib/quantdesk
elif [ -f "$here/installed-files" ]; then
    home=$here
elif [ -f "$here/../installed-files" ]; then
    home=${here%/*}
else
    home=${HOME:-}/.local/lib/quantdesk
fi
manifest=$home/installed-files
[ -f "$manifest" ] || die "there is no installed quantdesk in $home: name its --prefix DIR"

# Backwards: what lies in a folder comes before the folder. A folder that holds something else stays.
remove_listed() {
    awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' | {
        set --
        while IFS= read -r path; do
            case $path in
                */)
                    [ $# -eq 0 ] || { rm -f -- "$@"; set --; }
                    [ ! -d "$path" ] || rmdir -- "${path%/}" 2>/dev/null || : ;;
                *)
                    set -- "$@" "$path"
                    [ $# -lt 200 ] || { rm -f -- "$@"; set --; } ;;
            esac
        done
        [ $# -eq 0 ] || rm -f -- "$@"
    }
}

if [ -n "$only" ]; then
    awk -v top="$(printf '%s/' "$only" | sed 's/\\/\\\\/g')" 'index($0, top) == 1' "$manifest" >"$manifest.part"
    remove_listed <"$manifest.part"
    awk -v top="$(printf '%s/' "$only" | sed 's/\\/\\\\/g')" 'index($0, top) != 1' "$manifest" >"$manifest.rest"
    mv -f -- "$manifest.rest" "$manifest"
    rm -f -- "$manifest.part"
    exit 0
fi

running=$(running_from "$home")
[ -z "$running" ] || die "quantdesk is running (process $running): quit it first"
# A folder of our own: nobody else can put anything under the names that are written in it.
work=$(mktemp -d "${TMPDIR:-/tmp}/quantdesk.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
list=$work/list
cat -- "$manifest" >"$list"
applications=$(sed -n 's|/quantdesk\.desktop$||p' "$list" | tail -n 1)
icons=$(sed -n 's|/scalable/apps/quantdesk\.svg$||p' "$list" | tail -n 1)
cache=$applications/mimeinfo.cache
if [ -n "$applications" ]; then
    others=$(find "$applications" -name '*.desktop' ! -name quantdesk.desktop 2>/dev/null | head -n 1)
    # The cache serves other programs' entries too.
    if [ -n "$others" ]; then
        grep -Fvx -- "$cache" "$list" >"$list.kept" || :
        cat -- "$list.kept" >"$list"
        rm -f -- "$list.kept"
    fi
fi
remove_listed <"$list"
if [ -n "$applications" ] && [ -e "$cache" ] && command -v update-desktop-database >/dev/null 2>&1; then
    update-desktop-database -q "$applications" 2>/dev/null || :
fi
if [ -f "$icons/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null 2>&1; then
    touch -c -- "$icons"
    gtk-update-icon-cache -q -t -f "$icons" 2>/dev/null || :
fi

echo 'quantdesk is removed.'
[ ! -d "$home" ] || echo "$home holds files that were not installed: they stay"
cat <<END
Your data stay (unless you chose another place for them):
  trades and bars  ${XDG_DATA_HOME:-${HOME:-}/.local/share}/quantdesk
  settings         ${XDG_CONFIG_HOME:-${HOME:-}/.config}/quantdesk
  logs             ${XDG_STATE_HOME:-${HOME:-}/.local/state}/quantdesk
To delete them too, remove these folders.
END
