"""Business prose of any length in English and Japanese, from a seed: a few hundred words, drawn by Zipf's law."""

from __future__ import annotations

import random
from itertools import accumulate

ENGLISH = """the of to and a in for is we you that this our be with will please it as are on your by have not from at
if can or would all an any order meeting project team report customer delivery date week contract draft invoice price
quantity schedule office department manager review attached document version change request approval budget quarter
supplier factory sample shipment product design drawing test result question answer phone call tomorrow monday
tuesday wednesday thursday friday january march april june september october november morning afternoon confirm
receive send forward update prepare discuss agree decide deliver install replace repair inspect measure compare
explain propose accept cancel postpone arrange visit join invite attend present publish translate correct finish
start continue improve reduce increase estimate calculate support service system server network software database
account window screen printer keyboard cable warehouse truck container port customs flight train hotel ticket
receipt expense travel policy training course seminar lecture exhibition booth catalogue brochure campaign market
survey region branch headquarters director president engineer designer accountant lawyer colleague partner client
visitor guest candidate interview contractor building floor room table chair window door key badge parking
reception kitchen coffee lunch dinner weather rain snow summer winter spring autumn holiday weekend deadline
milestone phase scope risk issue option alternative condition requirement specification standard quality safety
material steel copper plastic rubber glass paper wood paint motor pump valve sensor switch battery module board
chip panel frame bearing gear spring screw bolt label package carton pallet weight length width height volume
temperature pressure voltage current speed capacity percent average total minimum maximum early late new old small
large short long available necessary possible important urgent final first second third next last several however
therefore because although while before after during about between within without regarding including according
thank regards sincerely kindly shortly recently usually directly clearly exactly only also still already again
soon later together perhaps indeed further respective additional detailed monthly annual internal external common
current previous following similar different original revised complete partial technical commercial legal financial
personal general special regular temporary permanent national international local central northern southern""".split()  # noqa: SIM905 - four hundred quotation marks would not read better

JAPANESE = """お世話になっております|ご確認をお願いいたします|添付の資料を|来週の打ち合わせについて|納期の件ですが|
見積書をお送りします|ご検討ください|よろしくお願いいたします|本日の会議では|新しい製品の|仕様書を更新しました|
工場の検査結果は|問題ありませんでした|数量と価格を|請求書は月末に|担当者に連絡し|ご不明な点がございましたら|
東京本社の営業部から|大阪支店の在庫は|来月の出張の予定を|部品の交換が必要です|図面の変更点を|契約書の草案について|
法務部で確認中です|社内で協議した結果|お手数をおかけしますが|ご返信いただければ幸いです|先日はお忙しい中|
ありがとうございました|展示会の準備状況を|報告いたします|試験の結果を表にまとめ|次回の打ち合わせは|十月の第二週に|
開催する予定です|システムの更新作業は|夜間に実施します|サーバーの停止時間は|二時間を見込んでいます|研修の参加者を|
募集しています|申し込みの期限は|金曜日までです|予算の承認を|いただきました|品質管理の手順に|従って作業を|
進めてください|梱包と出荷の手配を|完了しました|税関の手続きが|遅れているため|到着は来週になります|
お客様からの問い合わせに|回答しました|写真を数枚|お送りします|前回の議事録を|共有いたします|以上""".replace(
    "\n", ""
).split("|")


class Prose:
    """An endless writer with its own random source; sentences differ, the vocabulary is shared."""

    def __init__(self, rng: random.Random, shuffle: int = 0) -> None:
        """`shuffle` reorders the ranks of the words, so that two kinds of text can be told apart by learning."""
        self.rng = rng
        self.words = list(ENGLISH)
        self.phrases = list(JAPANESE)
        if shuffle:
            random.Random(shuffle).shuffle(self.words)
            random.Random(shuffle).shuffle(self.phrases)
        self.weights = list(accumulate(1 / (rank + 8) for rank in range(len(self.words))))

    def sentence(self) -> str:
        """One English sentence of 5 to 22 words, with now and then a number or a code."""
        words = self.rng.choices(self.words, cum_weights=self.weights, k=self.rng.randint(5, 22))
        if self.rng.random() < 0.15:
            words.insert(len(words) // 2, f"{self.rng.choice('ABCDEFGH')}-{self.rng.randrange(10, 900)}")
        return " ".join(words).capitalize() + self.rng.choice((".", ".", ".", "?"))

    def english(self, characters: int) -> list[str]:
        """Paragraphs of three to seven sentences, together about `characters` long."""
        paragraphs, left = [], characters
        while left > 0:
            paragraph = " ".join(self.sentence() for _ in range(self.rng.randint(3, 7)))[: max(left, 40)]
            paragraphs.append(paragraph)
            left -= len(paragraph) + 2
        return paragraphs

    def japanese(self, characters: int) -> list[str]:
        """Paragraphs of Japanese, together about `characters` long; every line is short enough for any encoding."""
        paragraphs, left = [], characters
        while left > 0:
            count = self.rng.randint(2, 6)
            lines = ["、".join(self.rng.choices(self.phrases, k=self.rng.randint(2, 3))) + "。" for _ in range(count)]
            paragraphs.append("\n".join(lines)[: max(left, 20)])
            left -= len(paragraphs[-1]) + 2
        return paragraphs
