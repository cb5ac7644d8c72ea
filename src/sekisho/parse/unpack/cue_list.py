"""The cues that scripts and command lines are searched for.

A strong cue is alarming by itself. "fetch", "write", "run", "hide" and "decode" together are what a downloader does;
"start" and "encode" are everyday work in many languages, but not in a script that Windows runs at a double click.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

STARTS_PROGRAMS = "starts programs"
Deed = Literal["strong", "fetch", "write", "run", "start", "hide", "decode", "encode", "wsh", "web", "pipe"]


class Cue(Struct, frozen=True):
    """A pattern over UTF-8 text in any case, what it is a sign of, and how to say so."""

    pattern: str
    deed: Deed
    says: str


CUES = (
    Cue(
        r"(?:powershell|pwsh)(?:\.exe)?\b[^\n]*[\s\"'](?:[-/]|\xe2\x80\x93)e(?:c|"
        r"nc|nco|ncod\w*)?\s+[\"']?[a-z0-9+/=]{16}",
        "strong",
        "PowerShell with an encoded command",
    ),
    Cue(
        r"\b(?:iex|invoke-expression)\s*[(\"'$&.-][^\n]*(?:download(?:string|data)|"
        r"\biwr\b|invoke-webrequest|\birm\b|invoke-restmethod|net\.webclient|"
        r"frombase64string)",
        "strong",
        "runs what it downloads or decodes",
    ),
    Cue(
        r"(?:download(?:string|data)\s*\(|\biwr\b|invoke-webrequest|"
        r"\birm\b|invoke-restmethod)[^\n]*\|\s*(?:iex|invoke-expression)\b",
        "strong",
        "runs what it downloads",
    ),
    Cue(
        r"certutil(?:\.exe)?\b[^\n]*[-/](?:decode|urlcache|decodehex)\b",
        "strong",
        "certutil to fetch or decode",
    ),
    Cue(
        r"bitsadmin(?:\.exe)?\b[^\n]*/(?:transfer|addfile|setnotifycmdline)",
        "strong",
        "bitsadmin to fetch",
    ),
    Cue(
        r"\bmshta(?:\.exe)?[\"']?\s+[^\n]*(?:https?:|vbscript:|javascript:|"
        r"about:|\\\\)",
        "strong",
        "mshta with a remote or inline script",
    ),
    Cue(
        r"regsvr32(?:\.exe)?\b[^\n]*/i:\s*[\"']?(?:https?:|\\\\)",
        "strong",
        "regsvr32 with a remote script",
    ),
    Cue(
        r"rundll32(?:\.exe)?[\"']?\s+[^\n]*(?:javascript:|\\\\[^\s\\]+\\|"
        r"https?:)",
        "strong",
        "rundll32 with a script or remote library",
    ),
    Cue(
        r"vssadmin(?:\.exe)?\s+(?:delete|resize)\s+shadow",
        "strong",
        "deletes shadow copies",
    ),
    Cue(
        r"wmic(?:\.exe)?\s+shadowcopy\s+delete|wbadmin\s+delete\s+(?:catalog|"
        r"systemstatebackup)|bcdedit\b[^\n]*recoveryenabled\s+no",
        "strong",
        "disables recovery",
    ),
    Cue(
        r"(?:add|set)-mppreference\b[^\n]*-(?:exclusion\w+|disable\w+)|"
        r"disableantispyware|amsiinitfailed|amsiutils|amsiscanbuffer",
        "strong",
        "switches off the virus scanner",
    ),
    Cue(
        r"\b(?:wmic|wmiprvse)\b[^\n]*process\s+call\s+create|winmgmts:[^\n]*win32_process\b",
        "run",
        "starts a process by WMI",
    ),
    Cue(
        r"schtasks(?:\.exe)?\s+[^\n]*/create\b[^\n]*(?:powershell|wscript|"
        r"cscript|mshta|rundll32|\\appdata\\|%temp%|%appdata%|\\users\\public)",
        "strong",
        "a scheduled task for a script or a program in a user's folder",
    ),
    Cue(
        r"reg(?:\.exe)?\s+add\s[^\n]*\\currentversion\\run",
        "strong",
        "starts itself at every log-on",
    ),
    Cue(
        r"\bregwrite\b[^\n]*\\currentversion\\run",
        "strong",
        "starts itself at every log-on",
    ),
    Cue(
        r"/dev/tcp/[\w.\-]+/\d+",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"\bn(?:et)?cat?\b\s+[^\n]*-e\s+/bin/(?:ba)?sh|\bbash\s+-i\s*>&",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"base64\s+(?:-d|-D|--decode)\b[^\n]*\|\s*(?:ba|z|da)?sh\b",
        "strong",
        "a shell runs what was base64",
    ),
    Cue(
        r"(?:curl|wget)\b[^\n|]*\|\s*(?:sudo\s+)?(?:/bin/)?(?:ba|z|da)?sh\b",
        "pipe",
        "a shell runs what was downloaded",
    ),
    Cue(
        r"\bos\.dup2\s*\([^\n]*fileno\(\)[^\n]*\)[\s\S]*(?:/bin/(?:ba)?sh|"
        r"pty\.spawn)",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:__import__\s*\(\s*[\"']|"
        r")(?:base64|zlib|marshal|codecs|gzip|bz2|lzma)[\"')]{0,2}\.\s*(?:b64decode|"
        r"b32decode|b85decode|decompress|loads|decode)\s*\(",
        "strong",
        "runs what was packed",
    ),
    Cue(
        r"\b(?:eval|assert)\s*\(\s*(?:@?(?:base64_decode|gzinflate|gzuncompress|"
        r"str_rot13|hex2bin)\s*\(|\$_(?:post|get|request|cookie)\b)",
        "strong",
        "runs what was packed or sent",
    ),
    Cue(
        r"\b(?:system|shell_exec|passthru|popen|proc_open|exec)\s*\(\s*(?:base64_decode\s*\(\s*)?\$_(?:"
        r"post|get|request|cookie)\b",
        "strong",
        "runs commands that are sent",
    ),
    Cue(
        r"eval\s*\(\s*(?:unescape|atob|string\.fromcharcode)\s*\(",
        "decode",
        "runs what was encoded",
    ),
    Cue(
        r"(?:chrw?\(\d+\)\s*[&+]\s*){8}",
        "strong",
        "text built from character codes",
    ),
    Cue(
        r"(?:\[char\]\s*(?:0x)?[0-9a-f]+\s*\+\s*){5}|-join\s*\(?\(?[^\n]*\[char\]",
        "decode",
        "text built from character codes",
    ),
    Cue(
        r"string\.fromcharcode\s*\(\s*(?:(?:0x)?[0-9a-f]+\s*,\s*){16}",
        "decode",
        "text built from character codes",
    ),
    Cue(
        r"frombase64string\s*\(",
        "decode",
        "decodes base64",
    ),
    Cue(
        r"io\.compression\.(?:deflate|gzip)stream",
        "decode",
        "unpacks in memory",
    ),
    Cue(
        r"reflection\.assembly\]?::load\s*\(|\.invokemember\s*\(",
        "run",
        "loads a program in memory",
    ),
    Cue(
        r"virtualalloc(?:ex)?\b[\s\S]*createthread|writeprocessmemory",
        "strong",
        "writes machine code into memory",
    ),
    Cue(
        r"msxml2\.(?:server)?xmlhttp|winhttp\.winhttprequest|microsoft\.xmlhttp\b[\"']\s*\)?[\s\S]*(?:sa"
        r"vetofile|wscript\.shell)",
        "fetch",
        "downloads",
    ),
    Cue(
        r"net\.webclient|download(?:file|string|data)\s*\(|invoke-webrequest|"
        r"start-bitstransfer|\biwr\s+|invoke-restmethod|urldownloadtofile",
        "fetch",
        "downloads",
    ),
    Cue(
        r"\b(?:curl|wget)(?:\.exe)?\s+[^\n]*https?://",
        "fetch",
        "downloads",
    ),
    Cue(
        r"adodb\.stream|\.savetofile\b",
        "write",
        "writes files through ADODB.Stream",
    ),
    Cue(
        r"[\"']wscript\.shell(?:\.1)?[\"']|[\"']shell\.application(?:\.1)?[\"']|\bshellexecute\b|"
        r"-comobject\s+[\"']?(?:wscript\.shell|shell\.application)",
        "run",
        STARTS_PROGRAMS,
    ),
    Cue(
        r"start-process\b|\binvoke-item\b|\bdo shell script\b",
        "run",
        "starts a program",
    ),
    Cue(
        r"diagnostics\.process\]?::start|"
        r"\b(?:iex|invoke-expression)\b|[;{|\n]\s*&\s*\(?[\"']?\$env:|\bdllimport\s*\(",
        "start",
        "starts programs or text as a script",
    ),
    Cue(
        r"\.\s*(?:run|exec)\s*[(\s]\s*\(?[^\n]{0,80}[\"'][^\"'\n]{0,200}\b(?:cmd|powershell|pwsh|mshta|"
        r"wscript|cscript|rundll32|regsvr32|msiexec|certutil|bitsadmin|curl|wmic|explorer)\b",
        "start",
        "starts a command line",
    ),
    Cue(
        r"\b(?:powershell|pwsh)(?:\.exe)?[\"']?\s+[^\n]*[-/](?:e|ec|en\w*|c|co\w*|w|wi\w*|nop\w*|noni\w*|ep|"
        r"ex\w*|f|fi\w*)\b|\b(?:mshta|rundll32|regsvr32|wscript|cscript)(?:\.exe)?[\"']?\s+[\"'/\w%\\]",
        "start",
        "starts another script",
    ),
    Cue(
        r"schtasks(?:\.exe)?\s+[^\n]*/create\b|\b(?:new|register)-scheduledtask",
        "start",
        "a scheduled task",
    ),
    Cue(
        r"getobject\s*\(\s*[\"']script(?:let)?:",
        "strong",
        "runs a script from elsewhere",
    ),
    Cue(
        r"\bftp(?:\.exe)?\s+[^\n]*-s:|\\\\[\w.\-]+@(?:ssl|\d+)\b|\\davwwwroot\\|\b(?:irm|iwr)\s+[^\n]*https?:",
        "fetch",
        "downloads",
    ),
    Cue(
        r"\bcreatetextfile\b|\bopentextfile\s*\([^\n]*,\s*[28]\b|io\.file\]?::write|"
        r"\b(?:set|add)-content\b|\bout-file\b|>\s*[\"']?[^\s\"'<>|]{0,200}\.(?:vbs|vbe|jse|ps1|hta|wsf|exe|scr)\b",
        "write",
        "writes files",
    ),
    Cue(
        r"\bbin\.(?:base64|hex)\b",
        "decode",
        "decodes base64",
    ),
    Cue(
        r"\bstrreverse\s*\(|\bexecuteglobal\b|(?:^|[^\n]:)[ \t]*execute[ \t]*[( \t][ \t]*[\w(\"]|\beval\s*\(|"
        r"\bfromcharcode\b|"
        r"\bcharcodeat\b|\bnew\s+function\s*\(|\bunescape\s*\(|-bxor\b|\{\d\}\{\d\}[^\n]*[\"']\s*-f\s",
        "encode",
        "builds text that it then runs",
    ),
    Cue(
        r"(?:%[^%\s]{1,20}%){6}",
        "encode",
        "spells its commands from variables",
    ),
    Cue(
        r"(?:^|[&|\n])\s*start\s+(?:/\w+\s+)*(?:\"[^\"\n]*\"\s+)?[\"']?(?:%temp%|"
        r"%appdata%|%public%|%tmp%|%localappdata%|%userprofile%|c:\\users\\public|"
        r"c:\\programdata)",
        "run",
        "starts a program from a user's folder",
    ),
    Cue(
        r"-w(?:i|in|ind|indo\w*)?\s+(?:hidden|hid)\b|[\"']-windowstyle[\"']\s*,\s*[\"']hidden|"
        r"\.run\s*\(?[^\n]*,\s*(?:0|vbhide)\s*[,)]",
        "hide",
        "a hidden window",
    ),
    Cue(
        r"-(?:ep|exec|executionpolicy|ex)\s+bypass",
        "hide",
        "PowerShell's safeguards off",
    ),
    Cue(
        r"\bwscript\s*[.\[]|\bactivexobject\b|\bscripting\.filesystemobject|"
        r"\bgetobject\s*\(\s*[\"'](?:winmgmts|script|new):",
        "wsh",
        "made for Windows Script Host",
    ),
    Cue(
        r"\b(?:document|window)\.\w|module\.exports|\brequire\s*\(|\bexport\s+(?:default|"
        r"const|function|class|\{)|\bimport\s+[\w{*][^\n]*\bfrom\s+[\"']|"
        r"\bjquery\b|addeventlistener|\bconsole\.log|typeof\s+define|"
        r"\bprocess\.env|\bdefine\s*\(\s*\[",
        "web",
        "made for a browser or Node.js",
    ),
)
