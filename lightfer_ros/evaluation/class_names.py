"""What people call the seven expressions in the names of folders and in lists of classes."""

from __future__ import annotations

import re
from typing import Dict, Optional

from lightfer_ros.model import EMOTIONS

_WORDS: Dict[str, str] = {
    "angry": "anger angered ang an",
    "disgust": "disgusted disgusting dis di",
    "fear": "fearful afraid scared fea fe",
    "happy": "happiness joy joyful smile hap ha",
    "sad": "sadness sa",
    "surprise": "surprised surprising suprise suprised sur su",
    "neutral": "neutrality neutralness neu ne",
}
"""Nouns, participles, the misspelling that is seen most, and the abbreviations of KDEF, JAFFE and RAF-DB."""

_KNOWN: Dict[str, str] = {
    **{name: name for name in EMOTIONS},
    **{word: name for name, words in _WORDS.items() for word in words.split()},
    **{str(number): name for number, name in enumerate(EMOTIONS)},
}


def expression_named(text: str) -> Optional[str]:
    """The member of EMOTIONS that `text` means, in any case, or None.

    "Anger", "HAPPINESS", "03_happy", "fear-1", "4" (FER2013's own numbers, 0 to 6) are understood.
    """
    lowered = text.strip().lower()
    letters = re.sub(r"^[\d\W_]+|[\d\W_]+$", "", lowered)
    return _KNOWN.get(letters or lowered)
