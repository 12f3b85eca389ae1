"""The State of the Union addresses in one compressed file that a person can open: one address a line, by year."""

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from course_utils.data.folders import hold_out

FILE = "addresses.json.gz"
ERAS = (1790, 1861, 1901, 1946)
"""The first year of each: to the Civil War; to the century's end; through both World Wars; since then."""
LAST_YEAR = 2021
SHARE_OF_TEST = 0.2  # of each era's addresses
SHARE_OF_VALIDATION = 0.1


@dataclass(frozen=True)
class Address:
    """A State of the Union address; `party` is the president's, "none" for George Washington."""

    year: int
    name: str
    party: str
    text: str


def era_names() -> tuple[str, ...]:
    """Return the eras as spans of years, such as "1790–1860"."""
    lasts = (*(first - 1 for first in ERAS[1:]), LAST_YEAR)
    return tuple(f"{first}–{last}" for first, last in zip(ERAS, lasts, strict=True))


def era_of(year: int) -> int:
    """Return the place of a year's era in `ERAS`.

    Raises:
        ValueError: the year is outside all of them.
    """
    if not ERAS[0] <= year <= LAST_YEAR:
        raise ValueError(f"the addresses are from {ERAS[0]} to {LAST_YEAR}, got {year}")
    return sum(first <= year for first in ERAS) - 1


def split_addresses(addresses: Sequence[Address]) -> dict[str, list[Address]]:
    """Return the addresses as "train", "validation" and "test": of each era a tenth and a fifth, spread evenly.

    It is always the same split, and every address is in one part only.
    """
    splits: dict[str, list[Address]] = {"train": [], "validation": [], "test": []}
    for era in range(len(ERAS)):
        members = [address for address in addresses if era_of(address.year) == era]
        test, rest = hold_out(members, round(len(members) * SHARE_OF_TEST))
        validation, train = hold_out(rest, round(len(members) * SHARE_OF_VALIDATION))
        for name, part in (("train", train), ("validation", validation), ("test", test)):
            splits[name] += part
    return splits


def pack(addresses: Sequence[Address]) -> bytes:
    """Return the file's bytes, the same ones for the same addresses."""
    lines = (json.dumps(asdict(address), ensure_ascii=False) for address in addresses)
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(("[\n" + ",\n".join(lines) + "\n]\n").encode())
    return packed.getvalue()


def unpack(content: bytes) -> list[Address]:
    """Return the addresses from the file's bytes, which have been checked."""
    return [Address(**row) for row in json.loads(gzip.decompress(content))]
