"""Messages with values in them."""

from email.message import EmailMessage

TO = "taro@example.net"
CARD = "4111 1111 1111 1111"


def mail(body="x", html="", subject="y", **attachment):
    """A message in CRLF lines; attachments are name_extension=content."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "hanako@example.com", TO, subject
    made.set_content(body)
    if html:
        made.add_alternative(html, subtype="html")
    for name, content in attachment.items():
        made.add_attachment(content, filename=name.replace("_", "."))
    return made.as_bytes(policy=made.policy.clone(linesep="\r\n"))


def more_than_are_counted():
    """Valid card numbers."""
    numbers = [f"4{i:014d}" for i in range(1100)]
    cards = [n + str(-sum(sum(divmod(int(d) * (2 - j % 2), 10)) for j, d in enumerate(n)) % 10) for n in numbers]
    return [f"card {c}" for c in cards]
