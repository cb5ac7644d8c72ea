// Scripts and shortcuts that bring in something else. The look at scripts weighs cues; these rules are for shapes
// that have no other use.

// A shortcut that starts a script engine with an address or hidden code.
rule shortcut_loader
{
    meta:
        finding = "malware/shortcut-loader"
        severity = "critical"
        title = "shortcut that downloads or runs hidden code"
    strings:
        $engine1 = "powershell" nocase ascii wide
        $engine2 = "mshta" nocase ascii wide
        $engine3 = "cmd.exe" nocase ascii wide
        $engine4 = "wscript" nocase ascii wide
        $engine5 = "forfiles" nocase ascii wide
        $load1 = "http://" nocase ascii wide
        $load2 = "https://" nocase ascii wide
        $load3 = "FromBase64String" nocase ascii wide
        $load4 = " -enc" nocase ascii wide
        $load5 = "DownloadString" nocase ascii wide
        $load6 = "\\DavWWWRoot" nocase ascii wide
        $load7 = "findstr" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and any of ($engine*) and any of ($load*)
}

// A disc image made to carry a shortcut and the library or script that it starts. Discs of files have no shortcuts.
rule disc_with_loader
{
    meta:
        finding = "malware/disc-loader"
        severity = "high"
        title = "disc image with a shortcut that starts another file of the disc"
    strings:
        $disc = "CD001"
        $shortcut = { 4c 00 00 00 01 14 02 00 00 00 00 00 c0 00 00 00 00 00 00 46 }
        $run1 = "rundll32" nocase ascii wide
        $run2 = "regsvr32" nocase ascii wide
        $run3 = "powershell" nocase ascii wide
        $run4 = "cmd.exe" nocase ascii wide
        $run5 = "wscript" nocase ascii wide
    condition:
        $disc at 0x8001 and $shortcut and any of ($run*)
}

// A script that carries a Windows program as base64 and writes or loads it.
rule script_with_program
{
    meta:
        finding = "malware/script-loader"
        severity = "high"
        title = "script that carries a Windows program"
    strings:
        $program = /TV(qQAAMAAAAEAAAA|pQAAIAAAAEAA8A|oAAAAAAAAAAAAA|pBUlVIieVIgewgAAAA)/
        $write1 = "ADODB.Stream" nocase
        $write2 = "WriteAllBytes" nocase
        $write3 = "Assembly]::Load" nocase
        $write4 = "certutil" nocase
        $write5 = "bin.base64" nocase
        $write6 = "MSXML2.DOMDocument" nocase
    condition:
        uint16(0) != 0x5a4d and $program and any of ($write*)
}

// PowerShell that puts machine code into memory and runs it.
rule powershell_shellcode
{
    meta:
        finding = "malware/script-loader"
        severity = "critical"
        title = "PowerShell that runs machine code in memory"
    strings:
        $bytes = /\[byte\[\]\]/ nocase
        $alloc = "VirtualAlloc" nocase
        $thread = "CreateThread" nocase
        $import1 = "DllImport" nocase
        $import2 = "GetDelegateForFunctionPointer" nocase
        $copy = "Marshal]::Copy" nocase
    condition:
        uint16(0) != 0x5a4d and filesize < 5MB and $bytes and $alloc and $thread and $copy and any of ($import*)
}

// Switching off Windows' script scanner by reflection.
rule amsi_bypass
{
    meta:
        finding = "malware/script-loader"
        severity = "critical"
        title = "script that switches off the virus scanner for scripts"
    strings:
        $type = "Management.Automation.Amsi" nocase
        $field1 = "amsiInitFailed" nocase
        $field2 = "amsiContext" nocase
        $set = "SetValue" nocase
    condition:
        uint16(0) != 0x5a4d and filesize < 5MB and $type and any of ($field*) and $set
}

// A shell for somebody outside, as the short pieces of code that are passed around for it.
rule reverse_shell
{
    meta:
        finding = "malware/reverse-shell"
        severity = "high"
        title = "gives a shell to another computer"
    strings:
        $bash = /bash -i\s*>&\s*\/dev\/tcp\/[\w.\-]{4,80}\/[0-9]{2,5}/
        $python1 = /\.connect\(\(["'][\w.\-]{4,80}["'],\s*[0-9]{2,5}\)\)\s*[;\n]\s*(os\.)?dup2\(/
        $python2 = /os\.dup2\(s\.fileno\(\),\s*0\)[\s\S]{0,200}(\/bin\/(ba)?sh|pty\.spawn)/
        $perl = /open\(STDIN,\s*">&S"\);\s*open\(STDOUT,\s*">&S"\)/
        $php = /fsockopen\(["'][\w.\-]{4,80}["'],\s*[0-9]{2,5}\);\s*(shell_)?exec\(["']\/bin\/(ba)?sh/
        $powershell = /New-Object\s+(System\.)?Net\.Sockets\.TCPClient\([\s\S]{0,600}\biex\b/ nocase
    condition:
        filesize < 200KB and any of them
}

// Server pages that run whatever is sent to them.
rule webshell_php
{
    meta:
        finding = "malware/webshell"
        severity = "critical"
        title = "PHP page that runs what is sent to it"
    strings:
        $tag = "<?"
        $run1 = /\b(eval|assert|system|shell_exec|passthru|popen|proc_open|exec)\s*\(\s*@?\$_(POST|GET|REQUEST|COOKIE)\s*\[/
        $run2 = /\b(eval|assert)\s*\(\s*@?(base64_decode|gzinflate|gzuncompress|str_rot13)\s*\(\s*@?(\$_(POST|GET|REQUEST|COOKIE)|base64_decode|gzinflate|str_rot13)/
        $run3 = /\bpreg_replace\s*\(\s*["']\/.{0,40}\/e["']\s*,\s*@?\$_(POST|GET|REQUEST)/
        $run4 = /\$_(POST|GET|REQUEST|COOKIE)\[["']?\w{1,30}["']?\]\s*\(\s*@?\$_(POST|GET|REQUEST|COOKIE)\[/
    condition:
        filesize < 2MB and $tag and any of ($run*)
}

rule webshell_asp_jsp
{
    meta:
        finding = "malware/webshell"
        severity = "critical"
        title = "server page that runs what is sent to it"
    strings:
        $asp1 = /<%\s*@?\s*(eval|execute|executeglobal)\s*\(?\s*request\b/ nocase
        $asp2 = /eval\s*\(\s*Request\.(Item|Form|QueryString)\s*\[[^\]]{1,60}\]\s*,\s*["']unsafe["']/ nocase
        $jsp = /Runtime\.getRuntime\(\)\.exec\(\s*request\.getParameter\(/
    condition:
        filesize < 2MB and any of them
}
