"""校验位. Check characters of the Chinese unified social credit code and of GS1 numbers."""

from __future__ import annotations

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: digits and capitals without I, O, S, V, Z."""
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_USCC_LENGTH = 18
_GTIN_LENGTHS = (8, 12, 13, 14)


def uscc_check_character(body: str) -> str | None:
    """Return the 18th character for the first 17 of a unified social credit code, None when `body` is not such."""
    if len(body) != _USCC_LENGTH - 1 or any(character not in _USCC_ALPHABET for character in body):
        return None
    total = sum(_USCC_ALPHABET.index(character) * weight for character, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def uscc_ok(code: str) -> bool:
    """Tell whether `code` is an 18-character unified social credit code with the right check character (GB 32100)."""
    return len(code) == _USCC_LENGTH and uscc_check_character(code[:-1]) == code[-1]


def gs1_check_digit(body: str) -> str:
    """Return the mod-10 check digit for the digits `body` (GS1 General Specifications)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def gtin_ok(number: str) -> bool:
    """Tell whether `number` is a GTIN of 8, 12, 13 or 14 digits with the right check digit."""
    if len(number) not in _GTIN_LENGTHS or not (number.isascii() and number.isdigit()):
        return False
    return gs1_check_digit(number[:-1]) == number[-1]
