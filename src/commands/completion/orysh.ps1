# Completion of orysh for PowerShell.
Register-ArgumentCompleter -Native -CommandName orysh -ScriptBlock {
    param($word, $line, $position)
    $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($word -eq '') { $words += '' }
    orysh complete --format jsonl -- @words 2>$null | ConvertFrom-Json | ForEach-Object {
        $about = if ($_.about) { $_.about } else { $_.word }
        [System.Management.Automation.CompletionResult]::new($_.word, $_.word, 'ParameterValue', $about)
    }
}
