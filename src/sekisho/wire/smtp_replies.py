"""The replies of the SMTP server that do not depend on the message. RFC 5321 4.2, RFC 3463, RFC 5248."""

from __future__ import annotations

from sekisho.mail.reply import Reply

OK = Reply(250, "0.0", "Ok")
SENDER_OK = Reply(250, "1.0", "Sender ok")
RECIPIENT_OK = Reply(250, "1.5", "Recipient ok")
GO_AHEAD = Reply(354, None, "End data with <CR><LF>.<CR><LF>")
GOODBYE = Reply(221, "0.0", "Goodbye")
READY_FOR_TLS = Reply(220, "0.0", "Ready to start TLS")
CANNOT_VERIFY = Reply(252, "0.0", "Cannot verify, but will take the message and try to deliver it")
HELP = Reply(
    214, "0.0", "Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS\nRFC 5321 describes them"
)

ALWAYS_THE_SAME = {"NOOP": OK, "HELP": HELP, "VRFY": CANNOT_VERIFY}  # RFC 5321 7.3: VRFY says nothing

UNKNOWN_COMMAND = Reply(500, "5.1", "Command not recognised")
NOT_IMPLEMENTED = Reply(502, "5.1", "Command not implemented")
BARE_LINE_END = Reply(500, "5.2", "Bare CR or LF in a command: lines end with CRLF")
NUL_IN_COMMAND = Reply(500, "5.2", "NUL in a command")
NOT_UTF8 = Reply(500, "5.2", "Command is not UTF-8")
NO_ARGUMENT = Reply(501, "5.4", "This command takes no argument")
BAD_HELO = Reply(501, "5.4", "Needs a domain name or an address literal")

HELO_FIRST = Reply(503, "5.1", "Send EHLO or HELO first")
NESTED_MAIL = Reply(503, "5.1", "A transaction is open already")
MAIL_FIRST = Reply(503, "5.1", "Send MAIL first")
RCPT_FIRST = Reply(503, "5.1", "Send RCPT first")
NO_RECIPIENTS = Reply(554, "5.1", "No valid recipients")
CHUNKS_OPEN = Reply(503, "5.1", "A BDAT sequence is open: only BDAT, RSET and QUIT")
CHUNKS_FAILED = Reply(503, "5.1", "An earlier chunk was refused: send RSET")
NOT_IN_TRANSACTION = Reply(503, "5.1", "Not while a transaction is open")
ONLY_QUIT = Reply(503, "5.1", "Only QUIT is accepted here")
TLS_ALREADY = Reply(503, "5.1", "TLS is active already")
TLS_PIPELINED = Reply(421, "5.1", "Bytes after STARTTLS in clear text, closing")
TLS_FIRST = Reply(530, "7.0", "Send STARTTLS first")

AUTH_OK = Reply(235, "7.0", "Authentication successful")
AUTH_FAILED = Reply(535, "7.8", "Authentication credentials invalid")
AUTH_AWAY = Reply(454, "7.0", "Temporary authentication failure, please try again later")
AUTH_LATER = Reply(454, "7.0", "Too many failed attempts, please try again later")
AUTH_TOO_MANY_WAIT = Reply(421, "7.0", "Too many failed attempts, closing")
AUTH_LOCKED = Reply(525, "7.13", "This account may not send mail, please ask your administrator")
AUTH_CHANGE_PASSWORD = Reply(535, "7.8", "The password has to be changed first")
AUTH_FIRST = Reply(530, "7.0", "Authentication required")
AUTH_ALREADY = Reply(503, "5.1", "Authenticated already")
AUTH_AFTER_EHLO = Reply(503, "5.1", "Send EHLO first")
AUTH_NEEDS_MECHANISM = Reply(501, "5.4", "Needs a mechanism")
AUTH_UNKNOWN = Reply(504, "5.4", "Authentication mechanism is not supported")
AUTH_NOT_ALLOWED = Reply(534, "7.9", "Authentication mechanism is not allowed here")
AUTH_NEEDS_TLS = Reply(538, "7.11", "Encryption required for this authentication mechanism")
AUTH_CANCELLED = Reply(501, "7.0", "Authentication cancelled")
AUTH_NOT_BASE64 = Reply(501, "5.2", "Not base64")
AUTH_MALFORMED = Reply(501, "5.2", "Malformed authentication input")
AUTH_LINE_TOO_LONG = Reply(500, "5.6", "Authentication exchange line is too long")
ACCOUNT_CLOSED = Reply(421, "7.0", "Connections of this account are closed")

XCLIENT_REFUSED = Reply(550, "7.0", "XCLIENT is not for this client")
NOT_SMTP = Reply(421, "7.0", "This is an SMTP server, closing")
BDAT_UNREADABLE = Reply(421, "5.4", "Cannot read the chunk size, closing")
SHUTTING_DOWN = Reply(421, "3.2", "Shutting down, please try again later")
TIMED_OUT = Reply(421, "4.2", "Timeout, closing")
TOO_SLOW = Reply(421, "4.2", "Data comes in too slowly (minimum_bytes_per_second), closing")
FOREIGN_CLIENT = Reply(554, "7.1", "This client may not send mail here")
TOO_MANY_CONNECTIONS = Reply(421, "7.0", "Too many connections (connections), please try again later")
TOO_MANY_FROM_CLIENT = Reply(421, "7.0", "Too many connections of this client (connections_per_ip)")
OUT_OF_MEMORY = Reply(452, "3.1", "Too much mail in flight (memory_bytes), please try again later")
TOO_MANY_FROM_NETWORK = Reply(421, "7.0", "Too many connections of this network (flood.network_share)")
TOO_MANY_NEW = Reply(421, "7.0", "Too many new connections of this network (flood.new_connections_per_network)")
TOO_BUSY = Reply(421, "3.2", "Too busy at the moment (flood.lag_seconds), please try again later")
MAKING_ROOM = Reply(421, "3.2", "Too many connections: idle ones make room")
MAIL_TOO_BUSY = Reply(451, "3.2", "Too busy at the moment (flood.lag_seconds), please try again later")
DISK_FILLS = Reply(452, "3.1", "Disk space runs out (flood.least_free_disk_bytes), please try again later")
HELD_FILLS = Reply(452, "3.1", "Too much mail is held (tenant flood.held_bytes), please try again later")
BARE_IN_DATA = Reply(550, "6.11", "Bare CR or LF in the message: lines end with CRLF")
NUL_IN_DATA = Reply(550, "6.11", "NUL in the message")


def greeting(hostname: str) -> Reply:
    """220 with our name first. RFC 5321 4.2."""
    return Reply(220, None, f"{hostname} ESMTP Sekisho")


def line_too_long(limit: int) -> Reply:
    """A command line over the limit. RFC 5321 4.5.3.1.4, 4.5.3.1.9."""
    return Reply(500, "5.2", f"Line over {limit} octets (command_line_bytes)")


def message_too_big(limit: int) -> Reply:
    """A message, or its declared size, over the limit. RFC 1870 6."""
    return Reply(552, "3.4", f"Message over {limit} octets (message_bytes)")


def header_too_big(limit: int) -> Reply:
    """A header section over the limit."""
    return Reply(552, "3.4", f"Header section over {limit} octets (header_bytes)")


def text_line_too_long(limit: int) -> Reply:
    """A line of the message over the limit. RFC 5321 4.5.3.1.6."""
    return Reply(552, "3.4", f"A line of the message over {limit} octets (text_line_bytes)")


def too_many_recipients(limit: int) -> Reply:
    """One recipient more than a transaction may have. RFC 5321 4.5.3.1.10."""
    return Reply(452, "5.3", f"Over {limit} recipients (recipients_per_message)")


def too_many(what: str, limit: int, setting: str) -> Reply:
    """A limit of the connection is reached; the connection closes."""
    return Reply(421, "7.0", f"Over {limit} {what} ({setting}), closing")
