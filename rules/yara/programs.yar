import "pe"

// Programs of which it can be said what they are for, by the words in them.

// Sections named as UPX names them, without UPX's own mark: changed so that it cannot be unpacked any more.
rule upx_tampered
{
    meta:
        finding = "malware/packed-program"
        severity = "high"
        title = "program packed with UPX and changed so that it cannot be unpacked"
    strings:
        $mark = "UPX!"
    condition:
        uint16(0) == 0x5a4d and for any section in pe.sections : (section.name == "UPX0") and not $mark in (0..4096)
}

// Packers sold to keep virus scanners out.
rule packed_to_hide
{
    meta:
        finding = "malware/packed-program"
        severity = "high"
        title = "program hidden by a protector"
    condition:
        uint16(0) == 0x5a4d and for any section in pe.sections : (
            section.name == ".vmp0" or section.name == ".vmp1" or section.name == ".themida"
            or section.name == ".enigma1" or section.name == ".MPRESS1" or section.name == ".aspack"
            or section.name == "pebundle" or section.name == ".petite"
        )
}

// Collects passwords of browsers, mail programs and wallets.
rule password_stealer
{
    meta:
        finding = "malware/stealer"
        severity = "critical"
        title = "collects stored passwords"
    strings:
        $query = "SELECT origin_url, username_value, password_value FROM logins" nocase ascii wide
        $store1 = "\\Google\\Chrome\\User Data" ascii wide
        $store2 = "\\Mozilla\\Firefox\\Profiles" ascii wide
        $store3 = "\\Opera Software\\Opera Stable" ascii wide
        $store4 = "\\BraveSoftware\\Brave-Browser" ascii wide
        $store5 = "wallet.dat" ascii wide
        $store6 = "\\Exodus\\exodus.wallet" ascii wide
        $store7 = "\\FileZilla\\recentservers.xml" ascii wide
        $store8 = "\\Thunderbird\\Profiles" ascii wide
        $store9 = "\\Telegram Desktop\\tdata" ascii wide
        $file1 = "Login Data" ascii wide
        $file2 = "logins.json" ascii wide
        $file3 = "encrypted_key" ascii wide
        $send1 = "api.telegram.org/bot" ascii wide
        $send2 = "discord.com/api/webhooks" ascii wide
        $send3 = "discordapp.com/api/webhooks" ascii wide
    condition:
        ($query and any of ($store*)) or (4 of ($store*) and any of ($file*))
        or (any of ($send*) and any of ($file*) and 2 of ($store*))
}

// Tools that read passwords out of Windows' memory.
rule credential_dumper
{
    meta:
        finding = "malware/credential-dumper"
        severity = "critical"
        title = "reads passwords out of Windows' memory"
    strings:
        $a = "sekurlsa::" ascii wide
        $b = "lsadump::" ascii wide
        $c = "kerberos::golden" ascii wide
        $d = "gentilkiwi" ascii wide
        $e = "mimikatz" nocase ascii wide
        $f = "KiwiAndRegistryTools" ascii wide
    condition:
        (uint16(0) == 0x5a4d and 2 of them) or (filesize < 5MB and uint16(0) != 0x5a4d and $e and 3 of ($a, $b, $c, $d))
}

// The usual beginnings of machine code that finds Windows' functions by hash, 32 and 64 bits.
rule stager_shellcode
{
    meta:
        finding = "malware/shellcode"
        severity = "critical"
        title = "machine code that downloads more"
    strings:
        $x86 = { fc e8 8? 00 00 00 60 89 e5 31 (c0 64 8b 50 30 | d2 64 8b 52 30) 8b 52 0c 8b 52 14 }
        $x64 = { fc 48 83 e4 f0 e8 (c0 | c8 | cc) 00 00 00 41 51 41 50 52 }
        $text86 = "fce8820000006089e531c0648b5030" nocase
        $text64 = "fc4883e4f0e8c0000000415141505251" nocase
        $escaped = "\\xfc\\x48\\x83\\xe4\\xf0\\xe8" nocase
        $base64a = "/EiD5PDowAAAAEFRQVBS"
        $base64b = "/OiCAAAAYInlMcBki1Aw"
    condition:
        any of them
}

// Implants that are loaded into memory by themselves.
rule reflective_implant
{
    meta:
        finding = "malware/remote-access"
        severity = "critical"
        title = "remote control that loads itself into memory"
    strings:
        $loader = "ReflectiveLoader"
        $name1 = "beacon.dll" ascii wide
        $name2 = "beacon.x64.dll" ascii wide
        $name3 = "metsrv.dll" ascii wide
        $name4 = "\\\\.\\pipe\\msagent_" ascii wide
        $name5 = "%s as %s\\%s: %d" ascii wide
    condition:
        $loader and any of ($name*)
}

// Remote control kits for .NET, by the names of their settings.
rule remote_access_kit
{
    meta:
        finding = "malware/remote-access"
        severity = "critical"
        title = "remote control kit"
    strings:
        $async1 = "Server_signa_ture" ascii wide
        $async2 = "Paste_bin" ascii wide
        $async3 = "Anti_virus" ascii wide
        $async4 = "ActivatePo_ng" ascii wide
        $quasar1 = "Quasar.Client" ascii wide
        $quasar2 = "DoShellExecute" ascii wide
        $quasar3 = "GetKeyloggerLogs" ascii wide
        $quasar4 = "DoRemoteDesktop" ascii wide
        $nano1 = "NanoCore.ClientPluginHost" ascii wide
        $remcos1 = "Remcos_Mutex_Inj" ascii wide
        $remcos2 = "* Remcos v" ascii wide
    condition:
        uint16(0) == 0x5a4d and (2 of ($async*) or 2 of ($quasar*) or $nano1 or any of ($remcos*))
}

// A miner for the attacker's purse: the program, or the settings it is sent with.
rule miner_program
{
    meta:
        finding = "malware/miner"
        severity = "high"
        title = "cryptocurrency miner"
    strings:
        $a = "donate.v2.xmrig.com"
        $b = "xmrig" nocase
        $c = "stratum+tcp://"
        $d = "stratum+ssl://"
        $e = "cryptonight"
        $f = "randomx"
        $g = "donate-level"
    condition:
        (uint16(0) == 0x5a4d or uint32(0) == 0x464c457f) and ($a or ($b and 3 of ($c, $d, $e, $f, $g)))
}

rule miner_settings
{
    meta:
        finding = "malware/miner"
        severity = "high"
        title = "settings of a cryptocurrency miner"
    strings:
        $pools = "\"pools\""
        $donate = "\"donate-level\""
        $user = "\"user\""
        $algorithm1 = "\"randomx\""
        $algorithm2 = "\"cryptonight"
        $algorithm3 = "\"rx/0\""
        $algorithm4 = "\"algo\""
    condition:
        filesize < 100KB and $pools and $donate and $user and any of ($algorithm*)
}
