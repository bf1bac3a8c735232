# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of flowhmc (libconfig) as dictionaries and lists."""
import re

_TOKEN = re.compile(r"""
    (?P<blank>\s+ | \#[^\n]* | //[^\n]* | /\*.*?\*/)
  | (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<real>[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?)
  | (?P<hex>0[xX][0-9a-fA-F]+L{0,2})
  | (?P<integer>[-+]?\d+L{0,2})
  | (?P<word>[A-Za-z*][-A-Za-z0-9_*]*)
  | (?P<mark>[=:;,{}()\[\]])
""", re.VERBOSE | re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "a": "\a", "b": "\b", "v": "\v"}
_CLOSING = {"{": "}", "(": ")", "[": "]"}


def _unquote(text):
    def character(match):
        escape = match.group(1)
        return chr(int(escape[1:], 16)) if escape[0] == "x" else _ESCAPES.get(escape, escape)
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", character, text[1:-1], flags=re.DOTALL)


class _Reader:
    def __init__(self, text, name):
        self.name, self.text, self.tokens, at = name, text, [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if not match:
                raise self.error(at, f"'{text[at]}' is not understood")
            if match.lastgroup != "blank":
                self.tokens.append((match.lastgroup, match.group(), at))
            at = match.end()
        self.tokens.append(("end", "", len(text)))
        self.next = 0

    def error(self, at, what):
        return ValueError(f"{self.name}:{self.text.count(chr(10), 0, at) + 1}: {what}")

    def take(self, mark=None):
        kind, word, at = self.tokens[self.next]
        if mark and (kind != "mark" or word not in mark):
            raise self.error(at, f"one of {mark} is missing before '{word}'")
        self.next += kind != "end"
        return kind, word, at

    def sees(self, marks):
        kind, word, _ = self.tokens[self.next]
        return kind == "mark" and word in marks

    def group(self, last):
        """Settings up to the closing brace, or the end of the text."""
        settings = {}
        while not (self.sees("}") if last else self.tokens[self.next][0] == "end"):
            kind, key, at = self.take()
            if kind != "word" or key in settings:
                raise self.error(at, f"'{key}' is no new key")
            self.take("=:")
            settings[key] = self.value()
            while self.sees(";,"):
                self.take()
        if last:
            self.take("}")
        return settings

    def value(self):
        kind, word, at = self.take()
        if kind == "mark" and word == "{":
            return self.group(True)
        if kind == "mark" and word in "([":
            return self.values(_CLOSING[word])
        if kind == "text":
            text = _unquote(word)
            while self.tokens[self.next][0] == "text":
                text += _unquote(self.take()[1])
            return text
        if kind == "real":
            return float(word)
        if kind in ("integer", "hex"):
            return int(word.rstrip("L"), 0 if kind == "hex" else 10)
        if kind == "word" and word.lower() in ("true", "false"):
            return word.lower() == "true"
        raise self.error(at, f"'{word}' is no value")

    def values(self, closing):
        values = []
        while not self.sees(closing):
            values.append(self.value())
            if not self.sees(closing):
                self.take(",")
        self.take()
        return values


def parse_settings(text, name="settings"):
    """The settings in a text, as a dictionary; ValueError, with name and line, where it is not understood."""
    return _Reader(text, name).group(False)
