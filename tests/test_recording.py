import gzip

import pytest

from quantdesk.config import ConfigError
from quantdesk.recording import MAX_LINE_BYTES, Recording, read_frames

LINES = b'1721347021080832061 {"e":"a b"}\n1626992741.06217: {"e":"c"}\n'
FRAMES = [(1_721_347_021_080_832_061, b'{"e":"a b"}'), (1_626_992_741_062_170_000, b'{"e":"c"}')]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_both_forms_of_a_line_are_read_plain_and_gzipped(tmp_path, pack):
    path = tmp_path / "frames"
    path.write_bytes(pack(LINES))
    recording = read_frames(path)
    assert list(recording) == FRAMES
    assert (recording.skipped, recording.damage) == (0, "")


def test_a_bad_line_is_skipped_and_counted(tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(b"wss://host <-> 1.5\n" + LINES + b"\n12\nx {}\n-5 {}\r\n" + b"9" * 40 + b" {}\n")
    recording = Recording(path)
    assert list(recording) == FRAMES
    assert recording.skipped == 5


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(b"1 " + b"x" * (2 * MAX_LINE_BYTES) + b"\n" + LINES)
    recording = Recording(path)
    assert list(recording) == FRAMES
    assert recording.skipped == 1


def test_the_last_line_needs_no_end_and_a_second_reading_starts_anew(tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(LINES.rstrip())
    recording = Recording(path)
    assert list(recording) == list(recording) == FRAMES


def test_a_cut_gzip_file_yields_what_is_there_and_says_so(tmp_path):
    path = tmp_path / "frames.gz"
    whole = gzip.compress(b"".join(b"%d {}\n" % number for number in range(20_000)))
    path.write_bytes(whole[: len(whole) // 2])
    recording = Recording(path)
    read = [number for number, _ in recording]
    assert 0 < len(read) < 20_000
    assert "frames.gz" in recording.damage


def test_a_missing_file_is_said_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        Recording(tmp_path / "none")
    with pytest.raises(ConfigError, match="is a folder"):
        read_frames(tmp_path)


def test_the_recorded_files_have_their_golden_counts(shared_data):
    for name, frames, skipped in (
        ("usdm_20240718/frames_usdm_btc_eth_20240718T2357-20240719T0005.txt.gz", 123_944, 0),
        ("binance_2021/BINANCE_FUTURES.ws.1.0", 1_535, 1),
    ):
        recording = read_frames(shared_data / name)
        assert sum(1 for _ in recording) == frames
        assert recording.skipped == skipped
