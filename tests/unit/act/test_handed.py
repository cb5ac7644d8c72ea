from sekisho.act.handed import Handed, same_for_all
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.reply import STORE_AWAY


def test_one_reply_for_each_recipient():
    envelope = Envelope(None, (Recipient("a@x"), Recipient("b@x")))
    assert same_for_all(envelope, "mx:25", STORE_AWAY) == Handed("mx:25", (STORE_AWAY, STORE_AWAY))
