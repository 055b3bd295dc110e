"""Check digits of My Number and of payment cards."""

from __future__ import annotations

# Issuers' first digits and the lengths they use (ISO/IEC 7812 ranges as the networks publish them).
_NETWORKS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),  # Mastercard
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),  # American Express
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (300, 305, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (36, 36, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (38, 39, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (6011, 6011, frozenset({16, 17, 18, 19})),  # Discover
    (644, 659, frozenset({16, 17, 18, 19})),  # Discover
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
)


def is_my_number(digits: str) -> bool:
    """Tell whether 12 digits are a My Number by their check digit.

    The check digit is ``11 - (sum of P_n Q_n, n = 1..11, mod 11)``, or 0 where that remainder is 0 or 1. P_n is the
    n-th digit from the right, the check digit left out; Q_n is n + 1 for n <= 6 and n - 5 for n >= 7.

    Parameters
    ----------
    digits : str
        ASCII digits only.

    Returns
    -------
    bool
        False for another length and for twelve equal digits, which are a placeholder. One of about ten random numbers
        of 12 digits has a fitting check digit.

    References
    ----------
    平成26年総務省令第85号 第5条 (the ministerial ordinance that defines the check digit of the individual number).
    """
    if len(digits) != 12 or len(set(digits)) == 1:
        return False
    body = [int(digit) for digit in reversed(digits[:11])]
    remainder = sum(p * (n + 1 if n <= 6 else n - 5) for n, p in enumerate(body, start=1)) % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def is_card(digits: str) -> bool:
    """Tell whether 13 to 19 digits are a payment card: a known network's first digits, its length, and Luhn's sum.

    Parameters
    ----------
    digits : str
        ASCII digits only.

    References
    ----------
    ISO/IEC 7812-1, annex B (Luhn).
    """
    fits = any(
        first <= int(digits[: len(str(first))]) <= last for first, last, lengths in _NETWORKS if len(digits) in lengths
    )
    return fits and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
