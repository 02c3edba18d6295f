# For scripts that run a command beside servers, and take these away afterwards.
# shellcheck shell=bash

# Runs a command in the foreground and returns its status. A signal reaches the command first; the script
# goes on to its clean-up when the command has ended.
run_child() {
    local status=0
    # A background command would ignore Ctrl-C and read nothing; this one shall not notice that it is one.
    env --default-signal=INT,QUIT -- "$@" <&0 &
    local child=$!
    trap : INT
    trap 'kill -TERM "$child" 2>/dev/null || true' TERM
    wait "$child" || status=$?
    # A signal interrupts the wait, not the child.
    while kill -0 "$child" 2>/dev/null; do
        wait "$child" || status=$?
    done
    return "$status"
}

# Makes a folder that is named after us and `name`, and removes those of runs that were killed: their
# servers died with them.
make_home() {
    local name=$1 folder pid
    for folder in "${TMPDIR:-/tmp}/$name".*; do
        [[ -O $folder ]] || continue
        pid=${folder##*/"$name".}
        [[ -d /proc/${pid%%.*} ]] || rm -rf "$folder"
    done
    mktemp -d "${TMPDIR:-/tmp}/$name.$$.XXXXXX"
}

# Counts `port` up to one on which nobody listens.
next_free_port() {
    port=$((port + 1))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
}
