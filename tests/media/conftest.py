import hashlib

import pytest


@pytest.fixture(scope="session")
def write_clip(write_clip):
    """The same for all tests, which encodes what several ask for once."""
    written = {}

    def write(path, pictures, *arguments, **options):
        content = b"".join(picture.tobytes() for picture in pictures)
        size = [picture.shape for picture in pictures[:1]]
        key = (path.suffix, size, hashlib.sha256(content).digest(), arguments, sorted(options.items()))
        if (key := repr(key)) not in written:
            written[key] = write_clip(path, pictures, *arguments, **options).read_bytes()
        path.write_bytes(written[key])
        return path

    return write
