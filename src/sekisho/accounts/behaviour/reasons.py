"""What the signals mean, in words, for those who decide."""

from __future__ import annotations

from msgspec import Struct


class Reason(Struct, frozen=True):
    """One signal that weighs: natural log-odds and what it says."""

    signal: str
    weight: float
    en: str
    ja: str


_TEXTS = {
    "network": ("a network it has hardly used before", "これまでほとんど使っていないネットワークから"),
    "around": (
        "a provider or region of networks that is new to it",
        "使ったことのない事業者・地域のネットワークから",
    ),
    "country": ("a country it does not send from", "普段送信しない国から"),
    "client": ("a mail program that is new to it", "使ったことのないメールソフトから"),
    "flip": ("two far places in a time nobody can travel in", "移動不可能な時間内に離れた二か所から"),
    "failures": ("many failed logins shortly before", "直前に多数のログイン失敗"),
    "hour": ("an hour at which it does not send", "普段送信しない時間帯"),
    "stranger": ("recipients it has never written to", "初めての宛先"),
    "new_domain": ("recipients in domains that are new to it", "初めての宛先ドメイン"),
    "strangers.hour": (
        "far more first-time recipients within an hour than usual",
        "1時間の初めての宛先数が普段より大幅に多い",
    ),
    "strangers.day": (
        "far more first-time recipients within a day than usual",
        "1日の初めての宛先数が普段より大幅に多い",
    ),
    "strange.hour": ("many first-time recipients from a strange place", "見慣れない場所から初めての宛先へ多数送信"),
    "recipients.10m": ("far more recipients within minutes than usual", "数分間の宛先数が普段より大幅に多い"),
    "recipients.hour": ("far more recipients within an hour than usual", "1時間の宛先数が普段より大幅に多い"),
    "recipients.day": ("far more recipients within a day than usual", "1日の宛先数が普段より大幅に多い"),
    "messages.hour": ("far more messages within an hour than usual", "1時間の送信数が普段より大幅に多い"),
    "messages.day": ("far more messages within a day than usual", "1日の送信数が普段より大幅に多い"),
    "address_book": ("a large part of its address book within hours", "短時間にアドレス帳の多くの宛先へ送信"),
    "content": ("content like spam, phishing or fraud", "迷惑メール・フィッシング・詐欺に似た内容"),
    "link": ("links, which it seldom sends", "普段は少ないリンクを含む"),
    "attachment": ("attachments, which it seldom sends", "普段は少ない添付ファイルを含む"),
    "elsewhere": ("answers that would go elsewhere (Reply-To)", "返信先(Reply-To)が外部の別ドメイン"),
    "other_author": ("a From that is not the account's", "アカウントのものではない差出人(From)"),
    "forwarded": ("automatic forwarding to the outside", "外部への自動転送"),
    "script": ("a language it does not write in", "普段使わない言語"),
    "same_text": ("the same text to many", "同じ文面を多数の宛先へ送信"),
    "failed": ("deliveries that failed", "配送の失敗"),
    "failed.day": ("far more failed deliveries than usual", "配送の失敗が普段より大幅に多い"),
}
SIGNALS = frozenset(_TEXTS)
_LEAST = 0.4


def reasons(weighed: dict[str, float], most: int = 6) -> tuple[Reason, ...]:
    """The signals that speak for abuse, the strongest first."""
    order = sorted(weighed, key=lambda name: -weighed[name])
    return tuple(
        Reason(name, round(weighed[name], 2), *_TEXTS[name]) for name in order[:most] if weighed[name] >= _LEAST
    )
