"""From what each recipient would get by itself to what is done: one message, one reply."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from sekisho.decide.rule import Strictness, strictness
from sekisho.mail.envelope import Recipient
from sekisho.mail.verdict import Disposition, Verdict


class Draft(Struct, eq=False):
    """A verdict whose recipients are still positions in the envelope; `would_have` collects those of all of them."""

    decided: Verdict
    positions: list[int]
    would_have: dict[str, None]

    @property
    def strictness(self) -> Strictness:
        """How strict it is."""
        return strictness(self.decided.disposition, self.decided.hold)

    def verdict(self, recipients: Sequence[Recipient]) -> Verdict:
        """The verdict with its recipients, in the envelope's order."""
        addresses = tuple(recipients[p].address for p in self.positions)
        return structs.replace(self.decided, recipients=addresses, would_have=tuple(self.would_have))


def settle(drafts: Sequence[Draft]) -> list[Draft]:
    """Bind the recipients of a message to the strictest verdict, in the order of their first recipients.

    As long as the strictest verdict comes from a rule with `split`, it stays with its own recipients and the rest
    is settled without them. What then is strictest binds all that are left. Deliveries that differ only
    in their modifications stay apart.
    """
    left = list(drafts)
    apart: list[Draft] = []
    while len(left) > 1:
        top = max(left, key=lambda d: d.strictness)
        if not top.decided.split:
            left = _bind(left, top)
            break
        apart.append(top)
        left.remove(top)
    return sorted(apart + left, key=lambda d: d.positions[:1]) if apart else left


def settle_again(verdicts: Sequence[Verdict], recipients: Sequence[Recipient]) -> tuple[Verdict, ...]:
    """Verdicts, some of which have become stricter since they were settled, settled with each other anew."""
    of = {address: number for number, verdict in enumerate(verdicts) for address in verdict.recipients}
    drafts = [
        Draft(
            structs.replace(verdict, recipients=(), would_have=()),
            [place for place, recipient in enumerate(recipients) if of.get(recipient.address) == number],
            dict.fromkeys(verdict.would_have),
        )
        for number, verdict in enumerate(verdicts)
    ]
    return tuple(draft.verdict(recipients) for draft in settle(drafts))


def _bind(drafts: list[Draft], top: Draft) -> list[Draft]:
    """All get the disposition of `top`; each keeps its own modifications where the message can still leave."""
    if top.decided.disposition is Disposition.DELIVER:
        return drafts
    order = [top, *(d for d in drafts if d is not top)]
    common = structs.replace(
        top.decided,
        notify=tuple(dict.fromkeys(n for d in order for n in d.decided.notify)),
        incident=next((d.decided.incident for d in order if d.decided.incident), None),
        log=any(d.decided.log for d in order),
    )
    bound: dict[Verdict, Draft] = {}
    for draft in drafts:
        verdict = common
        if common.disposition is Disposition.HOLD:
            own = (*draft.decided.modifications, *common.modifications)
            verdict = structs.replace(common, modifications=tuple(dict.fromkeys(own)))
        into = bound.setdefault(verdict, Draft(verdict, [], {}))
        into.positions += draft.positions
        into.would_have |= draft.would_have
    for draft in bound.values():
        draft.positions.sort()
    return sorted(bound.values(), key=lambda d: d.positions[:1])
