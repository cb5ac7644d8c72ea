// Pages and kits that collect passwords, pages that bring in a file, and letters that ask for ransom.

// The server side of a phishing kit: mails or posts the password it is sent, with the victim's address.
rule phishing_kit
{
    meta:
        finding = "malware/phishing-kit"
        severity = "critical"
        title = "page that sends passwords to somebody"
    strings:
        $tag = "<?php"
        $password = /\$_(POST|REQUEST)\s*\[\s*["'](pass(wd|word)?|pwd|passwort|epass|userpass|x2|pswd)["']\s*\]/ nocase
        $victim1 = "REMOTE_ADDR"
        $victim2 = "HTTP_USER_AGENT"
        $victim3 = "geoplugin.net"
        $send1 = /\bmail\s*\(\s*\$\w{1,30}\s*,/
        $send2 = "api.telegram.org/bot"
        $send3 = /fwrite\s*\(\s*\$\w{1,30}\s*,\s*\$(message|msg|data|log)/
        $style1 = /\$(message|msg|bilsmg|text)\s*\.=\s*["'][^"'\n]{0,80}(pass|pwd|password)[^"'\n]{0,30}["']/ nocase
        $style2 = /["'][-|=#+ ]{8,}[^"'\n]{0,60}(login|result|info|log|victim)/ nocase
        $style3 = /\bheader\s*\(\s*["']location:\s*https?:\/\/(www\.)?(outlook|office|google|microsoft|live|apple|paypal|amazon|netflix|yahoo)/ nocase
    condition:
        filesize < 500KB and $tag and $password and any of ($victim*) and any of ($send*) and any of ($style*)
}

// A page by mail that asks for a password and hands it to a messenger's bot or a form collector.
rule phishing_page
{
    meta:
        finding = "malware/phishing-page"
        severity = "critical"
        title = "page that sends a password to a bot or form collector"
    strings:
        $field = /<input[^>]{1,200}type\s*=\s*["']?password/ nocase
        $send1 = /api\.telegram\.org\/bot/ nocase
        $send2 = "formspree.io/f/" nocase
        $send3 = "discord.com/api/webhooks" nocase
        $send4 = "submit-form.com/" nocase
        $send5 = "formsubmit.co/" nocase
        $send6 = "script.google.com/macros/s/" nocase
    condition:
        filesize < 5MB and $field and any of ($send*)
}

// A page that puts together a file from base64 and saves it on its own: programs, shortcuts and disc images.
rule html_smuggling_program
{
    meta:
        finding = "malware/html-smuggling"
        severity = "critical"
        title = "page that builds a program and saves it"
    strings:
        $page = /<(html|script|svg|body)[\s>]/ nocase
        $save1 = "createObjectURL"
        $save2 = "msSaveOrOpenBlob"
        $save3 = "msSaveBlob"
        $save4 = /href\s*=\s*["']data:application\/(octet-stream|x-msdownload|x-iso9660-image)/ nocase
        $program = /["'`,]TV(qQAAMAAAAEAAAA|pQAAIAAAAEAA8A|oAAAAAAAAAAAAA)/
        $shortcut = /["'`,]TAAAAAEUAgAAAAAAwAAAAAAAAEY/
    condition:
        filesize < 30MB and $page in (0..100000) and any of ($save*) and any of ($program, $shortcut)
}

// The same for an archive, where the page presses the button itself.
rule html_smuggling_archive
{
    meta:
        finding = "malware/html-smuggling"
        severity = "high"
        title = "page that builds an archive and saves it without being asked"
    strings:
        $page = /<(html|script|svg|body)[\s>]/ nocase
        $decode = "atob"
        $blob = /new\s+Blob\s*\(/
        $save1 = "createObjectURL"
        $save2 = "msSaveOrOpenBlob"
        $click = /\.click\s*\(\s*\)/
        $name = /\.download\s*=/
        $archive = /["'`]UEsDB(BQA[A-Za-z0-9+\/]{80}|AoA[A-Za-z0-9+\/]{80}|DMA[A-Za-z0-9+\/]{80})/
        $rar = /["'`]UmFyIRoH[A-Za-z0-9+\/]{80}/
    condition:
        filesize < 30MB and $page in (0..100000) and $decode and $blob and any of ($save*) and $click and $name
        and any of ($archive, $rar)
}

// The letter that is left behind, or sent: files encrypted, how to pay, where to ask.
rule ransom_note
{
    meta:
        finding = "malware/ransom-note"
        severity = "high"
        title = "letter that asks for ransom"
    strings:
        $done1 = /(all )?(of )?your (important |personal |network )?(files|documents|data|servers|network)( and \w+)?( \w+)? (have been|has been|are|were|is) (now )?(encrypted|locked|stolen)/ nocase
        $done2 = "your network has been penetrated" nocase
        $pay1 = "bitcoin" nocase
        $pay2 = "monero" nocase
        $pay3 = /\b(bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34})\b/ fullword
        $where1 = /[a-z2-7]{16,56}\.onion/
        $where2 = "tor browser" nocase
        $where3 = /@(protonmail|tutanota|onionmail|cock|airmail|proton)\.(com|me|cc|li|org|de)/ nocase
        $how1 = /(do not|don't) (rename|modify|try to (decrypt|recover)|use third[- ]party)/ nocase
        $how2 = /decrypt(or|ion)? (tool|software|key|program|one file)/ nocase
        $how3 = /(decrypt|restore|recover) (all )?(of )?your (files|data)/ nocase
        $how4 = "free decryption as guarantee" nocase
    condition:
        filesize < 40KB and any of ($done*) and any of ($pay*, $where*) and 2 of ($how*)
}
