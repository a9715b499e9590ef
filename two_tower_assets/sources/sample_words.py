"""Names that the sample's rows carry: tags in their groups, and the pieces of titles and people's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


TAG_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "genre": _words("""
        action, adventure, animation, anthology, biography, comedy, concert, crime, dance, detective, disaster,
        documentary, drama, epic, espionage, experimental, fairy tale, family, fantasy, film noir, game show, heist,
        history, horror, improv, kaiju, law, magic, martial arts, medical, melodrama, monster, musical, mystery, myth,
        nature, news, opera, parody, political, puppetry, reality, road movie, romance, satire, science fiction,
        sitcom, sketch, slice of life, spaghetti western, sports, stand-up, superhero, survival, thriller,
        time travel, travel, true crime, war, western"""),
    "theme": _words("""
        addiction, ambition, betrayal, brothers, coming of age, conspiracy, corruption, courage, dreams, exile,
        first love, forgiveness, freedom, friendship, greed, grief, growing old, homecoming, identity, immigrants,
        inheritance, jealousy, justice, loneliness, loyalty, memory, mentors, moving on, obsession, outsiders,
        parenthood, prophecy, redemption, revenge, rivalry, sacrifice, second chances, secrets, sisters, small talk,
        twins, underdogs, unlikely heroes"""),
    "mood": _words("""
        absurd, bittersweet, bleak, calm, charming, cheerful, chilling, clever, cosy, dark, deadpan, dreamy, eerie,
        fast, feel-good, gentle, gritty, heart-warming, hypnotic, ironic, intense, lyrical, melancholic, nostalgic,
        offbeat, playful, quiet, raw, romantic, scary, sentimental, slow burn, suspenseful, tense, touching,
        uplifting, weird, whimsical, witty, wry"""),
    "setting": _words("""
        1920s, 1960s, 1980s, 1990s, airport, arctic, beach, boarding school, castle, circus, city, countryside, court,
        desert, factory, farm, far future, forest, harbour, high school, hospital, hotel, island, jungle, kitchen,
        laboratory, library, lighthouse, mars, middle ages, monastery, mountains, night train, ocean, office, orbit,
        palace, prison, restaurant, ruins, ship, submarine, suburb, theatre, university, village"""),
    "form": _words("""
        4k, best of, black & white, director's cut, dubbed, ensemble cast, essay, festival winner, found footage,
        hand-drawn, interactive, live, long take, mini-series, narrator, one location, remastered, restored,
        rotoscope, short film, silent, single actor, stop motion, subtitled, vertical video, voice-over,
        wide screen"""),
    # Names that break careless quoting, encoding or sorting.
    "label": (
        '7" single',
        "it's \\ odd",
        "🎬 staff pick",
        "日本語字幕",
        "ドキュメンタリー",
        "naïve, café",
        "{a}",
        "NULL",
    ),
}

TITLE_FIRST: Final = _words("""
    Amber, Broken, Crimson, Distant, Endless, Final, Golden, Hidden, Iron, Jade, Kind, Last, Midnight, New, Old,
    Paper, Quiet, Red, Silver, Twin, Unseen, Velvet, White, Young, Zero, 夜の, 青い, 最後の""")
TITLE_SECOND: Final = _words("""
    Anchor, Bridge, Canyon, Door, Echo, Field, Garden, Harbour, Island, Journey, Key, Letter, Mirror, North, Orchard,
    Promise, Queen, River, Shadow, Tower, Umbrella, Valley, Winter, Year, Zenith, 列車, 海, 約束""")
GIVEN_NAMES: Final = _words("""
    Aiko, Ben, Chloé, Dmitri, Emi, Farid, Grace, Hana, Ivan, Jun, Kenji, Lucía, Mei, Noah, Olga, Priya, Quinn, Rosa,
    Søren, Taro, Uma, Vera, Wen, Ximena, Yuki, Zoë""")
FAMILY_NAMES: Final = _words("""
    Abe, Brandt, Costa, Dubois, Eriksen, Fujita, García, Hoffmann, Ito, Jansen, Kim, Lopez, Mori, Novak, O'Neill,
    Petrov, Rossi, Sato, Tanaka, Ueda, Varga, Weber, Yamada, Zhang""")
REGIONS: Final = ((), ("JP",), ("JP", "US"), ("US",), ("DE", "FR", "GB"))
