"""Nasty files: name → (bytes of the file, is any line of it of use?). Made in the test, nothing is stored."""

from __future__ import annotations

import gzip
import io
import zipfile

from dtsen_core.collect.layouts import layout

NAMES = [column.file for column in layout("dukcapil").columns]
HEADER = ",".join(NAMES).encode()
GOOD = (b"1101014102800001,1101010000000001,Siti,01-02-1980,P,ISTRI,KAWIN,SLTA,PETANI,JL. SATU,1,2,,1101012001,"
        b"03-02-2020")  # fmt: skip
FILE = HEADER + b"\n" + GOOD + b"\n"
FORMULA = b"=cmd|' /C calc'!A0"
HTML = b"<script>alert(1)</script><img src=x onerror=alert(2)>"


def named(name: bytes) -> bytes:
    return GOOD.replace(b"Siti", name)


def bomb() -> bytes:
    """A small archive of 200 MB of zeros."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data.csv", "w") as member:
        for _ in range(200):
            member.write(bytes(1 << 20))
    return packed.getvalue()


def wide(columns: int) -> bytes:
    extra = [b"kolom_%d" % n for n in range(columns - len(NAMES))]
    filled = b"," + b",".join(b"x" for _ in extra)
    return HEADER + b"," + b",".join(extra) + b"\n" + (GOOD + filled + b"\n") * 20


REFUSED = {
    "empty": b"",
    "blank lines": b"\n\r\n   \n" * 50,
    "byte order mark only": b"\xef\xbb\xbf",
    "wrong delimiter": FILE.replace(b",", b":"),
    "another table": b"tanggal,suhu\n2026-01-01,31\n",
    "prose": b"Yth. Bapak/Ibu,\nterlampir data yang diminta.\n" * 20,
    "only quotes": b'"' * 4_000,
    "only quotes in lines": b'""""""\n' * 4_000,
    "only NUL": bytes(10_000),
    "NUL in the header": FILE.replace(b"NIK", b"N\0K"),
    "UTF-16 with mark": FILE.decode().encode("utf-16"),
    "UTF-16 without mark": FILE.decode().encode("utf-16-le"),
    "UTF-16 big endian without mark": FILE.decode().encode("utf-16-be"),
    "UTF-32": FILE.decode().encode("utf-32"),
    "zip bomb": bomb(),
    "gzip": gzip.compress(FILE),
    "rubbish": bytes((n * 7919 + n // 251) % 256 for n in range(200_000)),
    "PDF": b"%PDF-1.7\n" + bytes(range(256)) * 20,
    "JSON": b'[{"nik": "1101014102800001", "nama": "Siti"}]',
    "HTML page": b"<html><body><table><tr><td>NIK</td></tr></table></body></html>",
    "column twice": FILE.replace(b"NO_KK", b"NIK").replace(b"NAMA_LGKP", b"NO_KK"),
    "further column twice": FILE.replace(b"NIK,", b"catatan,catatan,NIK,", 1),
    "header that steers a terminal": b"\x1b[2J\x1b]0;x\x07,\x1b[31mNIK\n1,2\n",
    "misspelt column": FILE.replace(b"NAMA_LGKP", b"NAMA_LKP"),
    "header in the second line": b"Daftar penduduk 2026\n" + FILE,
    "ten megabytes of delimiters": b"," * 10_000_000,
    "line without end": b"x" * 2_000_000,
    "all lines useless": HEADER + b"\n" + b"\n".join(b"a,b,c" for _ in range(40)),
    "all numbers wrong": HEADER + b"\n" + (GOOD.replace(b"1101014102800001", b"3.17E+15") + b"\n") * 5,
}  # fmt: skip
"""Files that end in one sentence."""

READ = {
    "header only": (HEADER, 0),
    "good": (FILE, 1),
    "mark and blank lines first": (b"\xef\xbb\xbf\n\n" + FILE, 1),
    "no line end": (FILE.rstrip(b"\n"), 1),
    "returns only": (FILE.replace(b"\n", b"\r"), 1),
    "mixed line ends": (HEADER + b"\r\n" + GOOD + b"\n" + named(b"Ani").replace(b"0001,1", b"0002,1") + b"\r\n\r\n", 2),
    "NUL in a line": (FILE + GOOD.replace(b"Siti", b"Si\0ti") + b"\n", 1),
    "formula": (HEADER + b"\n" + named(FORMULA) + b"\n", 1),
    "HTML": (HEADER + b"\n" + named(HTML) + b"\n", 1),
    "SQL": (HEADER + b"\n" + named(b"'; DROP TABLE keluarga; --") + b"\n", 1),
    "control characters": (HEADER + b"\n" + named(b"\x1b[31mSiti\x07\x08") + b"\n", 1),
    "delimiters of ten megabytes in a line": (FILE + b"," * 10_000_000 + b"\n", 1),
    "quotes of a megabyte in a line": (FILE + b'"' * 1_000_001 + b"\n" + GOOD.replace(b"0001,", b"0003,", 1), 2),
    "open quotes everywhere": (FILE + (b'"' + GOOD + b"\n") * 300, 1),
    "ten thousand columns": (wide(10_000), 20),
    "broken UTF-8": (FILE + named("Ñandú Ñ".encode()) + b"\n" + named(b"Si\xffti") + b"\n", 1),
    "old end mark": (FILE + b"\x1a", 1),
    "header again and again": ((FILE) * 50, 50),
    "very long name": (FILE + named(b"A" * 3_000_000).replace(b"0001,", b"0004,", 1) + b"\n", 1),
}  # fmt: skip
"""Files that are read: (bytes, records accepted at least)."""
