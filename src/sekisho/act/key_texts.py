"""What we say about DKIM keys, in English and Japanese. Both have the same keys; a test checks it."""

from __future__ import annotations

from sekisho.act.notice_texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "subject.absent": "DKIM key not in the DNS: {name}",
        "subject.changed": "DKIM key in the DNS is another: {name}",
        "subject.revoked": "DKIM key revoked in the DNS: {name}",
        "subject.several": "More than one DKIM key in the DNS: {name}",
        "subject.pending-long": "New DKIM key waits for the DNS: {name}",
        "subject.rotation-due": "New DKIM key to publish: {name}",
        "subject.still-published": "Old DKIM key may go from the DNS: {name}",
        "what.absent": (
            "Mail is signed with this key, or was until lately, but its record is not in the DNS any more. Receivers "
            "take the signatures for invalid, and mail may be refused or land in spam."
        ),
        "what.changed": (
            "The record of this key is not as it was published. Receivers take its signatures for invalid. If nobody "
            "of yours changed it, find out who can change your DNS."
        ),
        "what.revoked": (
            "The record of this key has an empty p=, which means that the key was revoked. Receivers take its "
            "signatures for invalid."
        ),
        "what.several": (
            "There is more than one TXT record under the name of this key. Receivers may take any of them, and its "
            "signatures for invalid."
        ),
        "what.pending-long": (
            "This key was made some days ago and waits for its record in the DNS. Until then it does not sign."
        ),
        "what.rotation-due": (
            "A key has signed long enough. This one is to follow it, as soon as its record is in the DNS; until then "
            "the old one goes on signing."
        ),
        "what.still-published": (
            "This key signs no more and its private half is deleted. Its record is still in the DNS and may go."
        ),
        "do.publish": "Publish this record:",
        "do.alias": "where the domain delegates, also this one:",
        "do.remove": "Remove this record:",
        "do.look": "This is what should be there:",
        "then": "To look at it afterwards: sekisho dkim check",
        "label.detail": "In the DNS",
        "label.tenant": "Tenant",
        "footer": "Sent by Sekisho at {hostname}.",
    },
    "ja": {
        "subject.absent": "DKIM鍵がDNSにありません: {name}",
        "subject.changed": "DNSのDKIM鍵が別のものです: {name}",
        "subject.revoked": "DKIM鍵がDNSで失効しています: {name}",
        "subject.several": "DKIM鍵のレコードがDNSに複数あります: {name}",
        "subject.pending-long": "新しいDKIM鍵がDNSへの登録を待っています: {name}",
        "subject.rotation-due": "公開していただく新しいDKIM鍵: {name}",
        "subject.still-published": "古いDKIM鍵はDNSから削除できます: {name}",
        "what.absent": (
            "この鍵で署名しているか、最近まで署名していましたが、レコードがDNSに見つかりません。"
            "受信側では署名が無効とされ、メールが拒否されたり迷惑メールになったりします。"
        ),
        "what.changed": (
            "この鍵のレコードが、公開したときの内容と違います。受信側では署名が無効とされます。"
            "社内で変更した覚えがなければ、誰がDNSを変更できるか確認してください。"
        ),
        "what.revoked": "この鍵のレコードの p= が空です。鍵が失効したことを意味し、受信側では署名が無効とされます。",
        "what.several": (
            "この鍵の名前にTXTレコードが複数あります。受信側がどれを使うか決まらず、署名が無効とされることがあります。"
        ),
        "what.pending-long": (
            "この鍵は数日前に作られ、DNSへの登録を待っています。登録されるまで署名には使われません。"
        ),
        "what.rotation-due": (
            "これまでの鍵が交換の時期になりました。この新しい鍵は、レコードがDNSに見えしだい署名に使われます。"
            "それまでは古い鍵で署名を続けます。"
        ),
        "what.still-published": (
            "この鍵はもう署名に使われず、秘密鍵は削除済みです。DNSに残っているレコードは削除できます。"
        ),
        "do.publish": "次のレコードを公開してください:",
        "do.alias": "ドメインから委任する場合は、次も必要です:",
        "do.remove": "次のレコードを削除してください:",
        "do.look": "本来あるべきレコード:",
        "then": "その後の確認: sekisho dkim check",
        "label.detail": "DNSの内容",
        "label.tenant": "テナント",
        "footer": "{hostname} のSekishoより送信。",
    },
}


def say_of_key(language: Language, key: str, **values: object) -> str:
    """A text with its values. Raises KeyError for one that there is not."""
    return TEXTS[language][key].format(**values)
