"""Outlook's files, written by hand: .msg storages and TNEF streams."""

import struct

from sekisho.parse.unpack.mail.compound_writer import ROOT, STORAGE, STREAM, Node, written

STRING8, STRING, BINARY, INTEGER = 0x1E, 0x1F, 0x102, 0x03


def property_value(kind, value):
    if kind == STRING:
        return value.encode("utf-16-le")
    if kind == INTEGER:
        return struct.pack("<I", value)
    return value


def storage(properties, header):
    """The streams of one message, recipient or attachment: {(number, kind): value} (MS-OXMSG 2.4)."""
    fixed, streams = bytearray(header), {}
    for (number, kind), value in properties.items():
        octets = property_value(kind, value)
        inline = octets if kind == INTEGER else struct.pack("<II", len(octets), 0)
        fixed += struct.pack("<HHI8s", kind, number, 6, inline)
        if kind != INTEGER:
            streams[f"__substg1.0_{number:04X}{kind:04X}"] = octets
    return {"__properties_version1.0": bytes(fixed), **streams}


def message_tree(properties, recipients=(), attachments=(), *, top=True):
    """A message as nested dictionaries. An attachment is properties; under "message" or "object" a tree inside."""
    tree = storage(properties, 32 if top else 24)
    for n, recipient in enumerate(recipients):
        tree[f"__recip_version1.0_#{n:08X}"] = storage(recipient, 8)
    for n, attachment in enumerate(attachments):
        inner = attachment.get("tree")
        made = storage({key: value for key, value in attachment.items() if key != "tree"}, 8)
        if inner is not None:
            made["__substg1.0_3701000D"] = inner
        tree[f"__attach_version1.0_#{n:08X}"] = made
    return tree


def compound(tree):
    """A compound file of nested dictionaries."""
    nodes = [Node("Root Entry", ROOT)]
    waiting = [(tree, 0)]
    while waiting:
        inside, parent = waiting.pop()
        for name, value in inside.items():
            nodes[parent].children.append(len(nodes))
            if isinstance(value, dict):
                waiting.append((value, len(nodes)))
                nodes.append(Node(name, STORAGE))
            else:
                nodes.append(Node(name, STREAM, value))
    return written(nodes)


def msg(properties, recipients=(), attachments=()):
    """A .msg file."""
    return compound(message_tree(properties, recipients, attachments))


def attribute(level, number, data):
    """One attribute of a TNEF stream (MS-OXTNEF 2.1.3.1)."""
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def padded(data):
    return data + bytes(-len(data) % 4)


def mapi(properties):
    """A list of MAPI properties (MS-OXTNEF 2.1.3.4)."""
    made = struct.pack("<I", len(properties))
    for (number, kind), value in properties.items():
        made += struct.pack("<HH", kind, number)
        if kind == INTEGER:
            made += struct.pack("<I", value)
        else:
            octets = property_value(kind, value)
            made += struct.pack("<II", 1, len(octets)) + padded(octets)
    return made


def tnef(*attributes):
    """A TNEF stream of attributes made by `attribute`."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def stored_rtf(rtf):
    """A PidTagRtfCompressed value that is not compressed (MS-OXRTFCP 2.1.3.1.1)."""
    return struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
