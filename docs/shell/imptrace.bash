# Completion of imptrace for bash. Taken from the line itself: bash splits words at = : and @, which
# options (--service=NAME) and units (NAME@INSTANCE.service) have in them.
_imptrace() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} word found
    word=${line##*[[:space:]]}
    found=$(env _IMPTRACE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS="$line" "$1" 2>/dev/null | cut -f 1)
    COMPREPLY=($(printf '%q\n' $found))
    [[ -n $found ]] || { COMPREPLY=() && return; }
    # What bash takes for the word is what stands behind the last of the signs.
    local kept=${word%"${word##*["$COMP_WORDBREAKS"]}"}
    [[ $word == -*=* ]] && kept=${kept#"${word%%=*}="}
    [[ -n $kept ]] && COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}

complete -o default -F _imptrace imptrace
