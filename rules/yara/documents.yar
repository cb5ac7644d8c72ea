// Documents that attack whoever opens them. Openers look at macros and objects in detail; these rules see what is
// left when a document is broken on purpose so that openers give up and Office does not.

// VBA in a compound file that starts by itself and names what downloaders call. VBA is stored compressed, but the
// first time a word occurs it stands there as it is.
rule macro_downloader
{
    meta:
        finding = "malware/macro-loader"
        severity = "high"
        title = "macro that starts by itself and names functions of downloaders"
    strings:
        $vba = "Attribut\x00e "
        $auto1 = "AutoOpen" nocase
        $auto2 = "Auto_Open" nocase
        $auto3 = "Document_Open" nocase
        $auto4 = "Workbook_Open" nocase
        $auto5 = "Document_Close" nocase
        $fetch1 = "URLDownloadToFile" nocase
        $fetch2 = "XMLHTTP" nocase
        $fetch3 = "WinHttpRequest" nocase
        $fetch4 = "DownloadString" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "powershell" nocase
        $run3 = "ADODB.Stream" nocase
        $run4 = "ShellExecute" nocase
        $run5 = "mshta" nocase
    condition:
        uint32(0) == 0xe011cfd0 and $vba and any of ($auto*) and any of ($fetch*) and any of ($run*)
}

// Machine code written into memory from VBA: the declarations name all three steps.
rule macro_shellcode
{
    meta:
        finding = "malware/macro-loader"
        severity = "critical"
        title = "macro that writes machine code into memory"
    strings:
        $vba = "Attribut\x00e "
        $alloc1 = "VirtualAlloc" nocase
        $alloc2 = "HeapCreate" nocase
        $copy1 = "RtlMoveMemory" nocase
        $copy2 = "WriteProcessMemory" nocase
        $run1 = "CreateThread" nocase
        $run2 = "EnumSystemLocales" nocase
        $run3 = "CreateRemoteThread" nocase
        $run4 = "CallWindowProc" nocase
    condition:
        uint32(0) == 0xe011cfd0 and $vba and any of ($alloc*) and any of ($copy*) and any of ($run*)
}

// Excel 4 macros call the system by name; business sheets do not.
rule excel4_downloader
{
    meta:
        finding = "malware/macro-loader"
        severity = "high"
        title = "Excel 4 macro that downloads"
    strings:
        $library = "urlmon" nocase ascii wide
        $fetch = "URLDownloadToFile" nocase ascii wide
        $run1 = "ShellExecute" nocase ascii wide
        $run2 = "rundll32" nocase ascii wide
        $run3 = "regsvr32" nocase ascii wide
    condition:
        uint32(0) == 0xe011cfd0 and $library and $fetch and any of ($run*)
}

// The Equation Editor of old Office, by name or class id in an object's hexadecimal data, together with what only
// attackers write: an object that updates itself, or a header that is no RTF to anybody but Word.
rule rtf_equation
{
    meta:
        finding = "malware/rtf-exploit"
        severity = "critical"
        title = "RTF with an Equation Editor object that loads by itself"
    strings:
        $object = "\\objdata"
        $name = /4[\s]*5[\s]*7[\s]*1[\s]*7[\s]*5[\s]*6[\s]*1[\s]*7[\s]*4[\s]*6[\s]*9[\s]*6[\s]*f[\s]*6[\s]*e[\s]*2[\s]*e[\s]*3[\s]*3/ nocase
        $class = "02ce020000000000c000000000000046" nocase
        $update = "\\objupdate"
        $header = "{\\rtf1"
    condition:
        uint32(0) == 0x74725c7b and $object and ($name or $class) and ($update or not $header at 0)
}

// A link moniker (URL or composite) in the hexadecimal data of an RTF object that updates itself: loads a remote
// document or script when it is opened.
rule rtf_link_moniker
{
    meta:
        finding = "malware/rtf-exploit"
        severity = "high"
        title = "RTF object that loads a remote document by itself"
    strings:
        $object = "\\objdata"
        $update1 = "\\objupdate"
        $update2 = "\\objautlink"
        $url = "e0c9ea79f9bace118c8200aa004ba90b" nocase
        $composite = "0303000000000000c000000000000046" nocase
    condition:
        uint32(0) == 0x74725c7b and $object and any of ($update*) and any of ($url, $composite)
}

// A launch action that names a command interpreter.
rule pdf_launch_command
{
    meta:
        finding = "malware/pdf-exploit"
        severity = "critical"
        title = "PDF that starts a command"
    strings:
        $header = "%PDF-"
        $launch = /\/Launch\b/
        $cmd1 = "cmd.exe" nocase
        $cmd2 = "powershell" nocase
        $cmd3 = "mshta" nocase
        $cmd4 = "rundll32" nocase
        $cmd5 = "wscript" nocase
    condition:
        $header in (0..1024) and $launch and any of ($cmd*)
}

// JavaScript of exploits for PDF readers: the functions that had holes, with a payload in %u escapes.
rule pdf_exploit_script
{
    meta:
        finding = "malware/pdf-exploit"
        severity = "critical"
        title = "PDF with a script made for holes in readers"
    strings:
        $header = "%PDF-"
        $hole1 = "Collab.collectEmailInfo"
        $hole2 = "Collab.getIcon"
        $hole3 = "media.newPlayer"
        $hole4 = /util\.printf\s*\(\s*["']%4[05]000f/
        $hole5 = "spell.customDictionaryOpen"
        $payload = /unescape\s*\(\s*["'](%u[0-9a-fA-F]{4}){4}/
    condition:
        $header in (0..1024) and (any of ($hole*) and $payload or #payload > 2)
}

// OneNote sections with a script or shortcut embedded: the picture says "double click to view".
rule onenote_with_script
{
    meta:
        finding = "malware/onenote-loader"
        severity = "high"
        title = "OneNote section with an embedded script"
    strings:
        $file = { e7 16 e3 bd 65 26 11 45 a4 c4 8d 4d 0b 7a 9e ac }
        $run1 = "powershell" nocase
        $run2 = "WScript.Shell" nocase
        $run3 = "mshta" nocase
        $run4 = "<HTA:APPLICATION" nocase
        $run5 = "CreateObject(" nocase
        $run6 = { 4c 00 00 00 01 14 02 00 00 00 00 00 c0 00 00 00 00 00 00 46 }
    condition:
        uint32(0) == 0x7b5c52e4 and $file and any of ($run*)
}
