import "hash"

// The anti-malware test file as eicar.org defines it: its 68 characters at the very beginning, and behind them
// nothing but white space up to 128 characters in all. Compared by hash, so that this file is not one itself.
rule eicar_test_file
{
    meta:
        finding = "malware/eicar"
        severity = "critical"
        title = "EICAR anti-malware test file"
    condition:
        filesize >= 68 and filesize <= 128
        and uint32(0) == 0x214f3558
        and hash.sha256(0, 68) == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
        and for all i in (68..127) : (
            i >= filesize or uint8(i) == 0x20 or uint8(i) == 0x09 or uint8(i) == 0x0a
            or uint8(i) == 0x0d or uint8(i) == 0x1a
        )
}
