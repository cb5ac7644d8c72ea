"""What we say about locked accounts, in English and Japanese. Both have the same keys; a test checks it."""

from __future__ import annotations

from sekisho.act.notice_texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "subject.locked": "Account locked: {login}",
        "subject.unlock-requested": "Unlock asked for: {login}",
        "subject.unlocked": "Account unlocked: {login}",
        "staff.locked": "This account may not send mail any more. Its sessions were closed, and its mail waits.",
        "staff.unlock-requested": (
            "The owner of this locked account asks to unlock it. It was locked too often lately for the owner to do "
            "so alone: please look at it."
        ),
        "staff.unlocked": "This account may send mail again. What waited of it goes on waiting for a reviewer.",
        "owner.locked": (
            "Your mail account may not send mail any more, because somebody else may be using it. This message comes "
            "to another address, since whoever has the account may read its mailbox."
        ),
        "owner.unlock-requested": "You asked to unlock your mail account. Your administrator has been asked to look.",
        "owner.unlocked": "Your mail account may send mail again. If that is a surprise, call your administrator.",
        "label.account": "Account",
        "label.tenant": "Tenant",
        "label.since": "At",
        "label.by": "By",
        "label.why": "Why",
        "label.findings": "What was found",
        "label.messages": "Messages",
        "label.before": "Locked before",
        "times": "{count} times",
        "more": "and {count} more",
        "todo.staff.locked": (
            "What to do:\n"
            "1. Look at the evidence:\n"
            "     sekisho account show {login} --tenant {tenant}\n"
            "     sekisho hold list --tenant {tenant} --sender {login}\n"
            "2. Ask the owner by telephone, not by mail, whether the mail was theirs.\n"
            "3. If it was not: have the password changed and app passwords withdrawn, look for forwarding rules,\n"
            "   check the owner's devices, and refuse what waits: sekisho hold reject ID\n"
            "4. If it was: let it go after the unlock: sekisho hold release ID\n"
            '5. Unlock: sekisho account unlock {login} --tenant {tenant} --reason "..."'
        ),
        "todo.staff.unlock-requested": (
            "What to do:\n"
            "  sekisho account show {login} --tenant {tenant}\n"
            '  sekisho account unlock {login} --tenant {tenant} --reason "..."'
        ),
        "todo.staff.unlocked": "To look at what waits:\n  sekisho hold list --tenant {tenant} --sender {login}",
        "todo.owner.locked": (
            "What to do:\n"
            "1. Change your password now, from a device that you trust, and use it nowhere else.\n"
            "2. Set up or renew your second factor, and withdraw app passwords that you do not know.\n"
            "3. Look for forwarding rules and sent mail that are not yours.\n"
            "4. Tell your administrator. Do not answer calls or mail that ask for your password."
        ),
        "todo.owner.unlock-requested": "If you did not ask for this, call your administrator at once.",
        "todo.owner.unlocked": "Mail that waited goes on waiting for a reviewer; you need not send it again.",
        "footer": "Written by the mail gateway {hostname}, which does not read replies.",
    },
    "ja": {
        "subject.locked": "アカウントをロックしました: {login}",
        "subject.unlock-requested": "ロック解除の依頼: {login}",
        "subject.unlocked": "アカウントのロックを解除しました: {login}",
        "staff.locked": "次のアカウントからの送信を停止しました。接続は切断し、送信待ちのメールは保留しています。",
        "staff.unlock-requested": (
            "ロック中のアカウントの利用者がロック解除を求めています。最近ロックが繰り返されているため、"
            "利用者だけでは解除できません。確認をお願いします。"
        ),
        "staff.unlocked": "次のアカウントは再び送信できます。保留中のメールは引き続き確認待ちです。",
        "owner.locked": (
            "第三者に使われているおそれがあるため、お使いのメールアカウントからの送信を停止しました。"
            "メールボックスを第三者に読まれている可能性があるため、この通知は別のアドレスにお送りしています。"
        ),
        "owner.unlock-requested": "ロック解除の依頼を受け付けました。管理者に確認を依頼しています。",
        "owner.unlocked": "メールアカウントは再び送信できます。心当たりがない場合は管理者に電話でご連絡ください。",
        "label.account": "アカウント",
        "label.tenant": "テナント",
        "label.since": "日時",
        "label.by": "実行者",
        "label.why": "理由",
        "label.findings": "検知した内容",
        "label.messages": "メール",
        "label.before": "過去のロック",
        "times": "{count} 回",
        "more": "ほか {count} 件",
        "todo.staff.locked": (
            "対応手順:\n"
            "1. 根拠を確認します。\n"
            "     sekisho account show {login} --tenant {tenant}\n"
            "     sekisho hold list --tenant {tenant} --sender {login}\n"
            "2. 本人が送ったメールかどうかを、メールではなく電話で本人に確認します。\n"
            "3. 本人でない場合: パスワードの変更、アプリパスワードの取り消し、転送設定と端末の確認を行い、\n"
            "   保留中のメールを拒否します: sekisho hold reject ID\n"
            "4. 本人の場合: ロックを解除してから送信を許可します: sekisho hold release ID\n"
            '5. ロックを解除します: sekisho account unlock {login} --tenant {tenant} --reason "..."'
        ),
        "todo.staff.unlock-requested": (
            "対応手順:\n"
            "  sekisho account show {login} --tenant {tenant}\n"
            '  sekisho account unlock {login} --tenant {tenant} --reason "..."'
        ),
        "todo.staff.unlocked": "保留中のメールの確認:\n  sekisho hold list --tenant {tenant} --sender {login}",
        "todo.owner.locked": (
            "お願いしたいこと:\n"
            "1. 安全な端末から今すぐパスワードを変更してください。ほかのサービスと同じものは使わないでください。\n"
            "2. 二段階認証を設定し直し、覚えのないアプリパスワードを取り消してください。\n"
            "3. 覚えのない転送設定や送信済みメールがないか確認してください。\n"
            "4. 管理者に連絡してください。パスワードを尋ねる電話やメールには答えないでください。"
        ),
        "todo.owner.unlock-requested": "依頼した覚えがない場合は、すぐに管理者に電話でご連絡ください。",
        "todo.owner.unlocked": "保留中のメールは引き続き確認待ちです。再送の必要はありません。",
        "footer": "この通知はメールゲートウェイ {hostname} が作成しました。返信は読まれません。",
    },
}


def say_of_lock(language: Language, key: str, **values: object) -> str:
    """The text of a key with its values filled in."""
    return TEXTS[language][key].format(**values)
