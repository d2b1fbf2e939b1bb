# Reads .env files as a shell does: a path a line comes in; out go the variables, each ended by NUL, and a second NUL.
# A file on which the shell ends gives none.
while IFS= read -r path; do
    (
        set -a
        . "$path" >/dev/null 2>&1 </dev/null
        exec /usr/bin/env -0
    )
    printf '\0'
done
