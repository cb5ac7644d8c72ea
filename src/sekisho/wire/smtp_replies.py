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
