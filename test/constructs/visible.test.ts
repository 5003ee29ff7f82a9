import { visible, visibleIn, visibleJson, visibleLines } from "../../constructs/visible";

const hostile: [what: string, text: string, shown: string][] = [
  ["a colour", "\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"],
  ["a title of the window", "\x1b]0;owned\x07", "\\u{1b}]0;owned\\u{7}"],
  ["the clipboard", "\x1b]52;c;cm0gLXJm\x1b\\", "\\u{1b}]52;c;cm0gLXJm\\u{1b}\\"],
  ["a sequence of 8 bits", "\x9b2J\x9d0;owned\x9c", "\\u{9b}2J\\u{9d}0;owned\\u{9c}"],
  ["backspaces and a return of the carriage", "bad\b\b\bgood\rsafe", "bad\\u{8}\\u{8}\\u{8}good\\u{d}safe"],
  ["delete and null", "a\x7fb\0c", "a\\u{7f}b\\u{0}c"],
  ["another direction", "\u202etxt.exe\u2066x\u2069", "\\u{202e}txt.exe\\u{2066}x\\u{2069}"],
  ["separators of lines", "a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c"],
  ["what has no width", "ad\u200bmin\ufeff\u{e0041}", "ad\\u{200b}min\\u{feff}\\u{e0041}"],
  ["half a character", "a\ud800b", "a\\u{d800}b"],
];

describe("what steers a terminal is shown, not obeyed:", () => {
  test.each(hostile)("%s", (_, text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visibleLines(text)).toBe(shown);
  });

  test.each(hostile)("%s, in JSON, which means the same", (_, text) => {
    const json = visibleJson({ [text]: [text] }, 2);
    expect(json).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(json)).toEqual({ [text]: [text] });
  });
});

test("what is only text stays, whatever its script", () => {
  const text = "Größe 30 °C – 日本語 🙂 'quoted' \"$(id)\" \\ `x`";
  expect([visible(text), visibleLines(text), JSON.parse(visibleJson(text))]).toEqual([text, text, text]);
});

test("a text from elsewhere makes no line of its own; one of several lines keeps them", () => {
  expect(visible("one\n✔ all in order\tx")).toBe("one\\n✔ all in order\\u{9}x");
  expect(visibleLines("one\ntwo\tx\r\n")).toBe("one\ntwo\tx\\u{d}\n");
});

test("a megabyte is cut, and its length is told", () => {
  expect(visible("a".repeat(1 << 20))).toBe(`${"a".repeat(2000)}… (1048576 characters)`);
});

test("every text of a result is made visible, and all else stays what it is", () => {
  const when = new Date(0);
  expect(visibleIn({ "\x1b": ["\x1b", { n: 1, when, none: undefined, no: null }], yes: true })).toEqual({
    "\\u{1b}": ["\\u{1b}", { n: 1, when, none: undefined, no: null }],
    yes: true,
  });
});
