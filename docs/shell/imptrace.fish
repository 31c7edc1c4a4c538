# Completion of imptrace for fish: names that it knows, else files.
function __imptrace_complete
    set -l token (commandline -ct)
    set -l found (env _IMPTRACE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=(commandline -cp) imptrace 2>/dev/null)
    if test -z "$found"
        __fish_complete_path $token
    else if string match -qr -- '^-[^=]*=' $token
        printf '%s\n' (string replace -r '=.*' = -- $token)$found
    else
        printf '%s\n' $found
    end
end

complete --command imptrace --no-files --arguments '(__imptrace_complete)'
