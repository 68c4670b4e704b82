from hypothesis import given
from hypothesis import strategies as st

from optagent.workspace.text import decode, encode, read_source, write_source


@given(st.binary())
def test_any_bytes_survive_reading_and_writing(data):
    assert encode(decode(data)) == data


def test_line_ends_and_byte_order_mark_survive(tmp_path):
    write_source(tmp_path / "a", "\ufeffa\r\nb\rc\n\udcff")
    assert (tmp_path / "a").read_bytes() == b"\xef\xbb\xbfa\r\nb\rc\n\xff"
    assert read_source(tmp_path / "a") == "\ufeffa\r\nb\rc\n\udcff"
