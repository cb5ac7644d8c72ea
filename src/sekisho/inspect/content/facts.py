"""What a mail is like, apart from its words, as facts with names.

A fact is there or not. Their names are part of the models: another name needs other models. Left out, as models that
learned them did worse on sources they had not seen: length, form (HTML or not), language, numbers of links, who
writes and where answers go (rules look at these: `impersonation`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.learn.clean import bare_subject, looks_alike, unseen_characters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sekisho.inspect.content.body import Body
    from sekisho.mail.message import Message

_HIDDEN = 200  # characters; less than this is the preview line of a newsletter
_FEW_WORDS = 60  # characters under which a mail of pictures says nothing
_UNSEEN = 3  # characters; a soft hyphen or two is a typesetter's


def facts(message: Message, body: Body, signs: Iterable[str]) -> Iterator[str]:
    """Facts of the body's form and of its links; `signs` are the ids of the link findings."""
    if body.images and len(body.own.strip()) < _FEW_WORDS:
        yield "form:pictures-only"
    if len(body.hidden) > _HIDDEN:
        yield "form:hidden-text"
    if unseen_characters(body.own) > _UNSEEN:
        yield "text:unseen-characters"
    if looks_alike(f"{message.subject} {body.own}"):
        yield "text:look-alikes"
    for sign in sorted(set(signs)):
        yield f"sign:{sign}"


def is_reply(message: Message) -> bool:
    """Whether the subject says that this is an answer."""
    return bare_subject(message.subject) != message.subject and ":" in message.subject[:12].replace("\uff1a", ":")


def is_threaded(message: Message) -> bool:
    """Whether the headers name a message that this one answers, RFC 5322 3.6.4."""
    return message.header("in-reply-to") is not None or message.header("references") is not None
